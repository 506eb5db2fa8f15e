//! Programs in processes of their own, whose processor time and memory are read from outside. Linux only.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a process has used up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// On a processor, in its own code and in the system's, of all threads.
    pub total: Duration,
    /// The part in its own code, to 10 ms.
    pub user: Duration,
}

impl Used {
    /// Of the process with this number, or of this one: `self`. Threads that have ended do not count in `total`.
    ///
    /// # Errors
    ///
    /// When there is no such process, or no `/proc`.
    pub fn of(process: &str) -> Result<Self, Box<dyn Error>> {
        let mut total = Duration::ZERO;
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
            total += Duration::from_nanos(nanoseconds);
        }
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name is in brackets and may have any character.
        let (_, fields) = stat.rsplit_once(") ").ok_or("no name in `stat`")?;
        let ticks = fields.split(' ').nth(11).ok_or("no time in `stat`")?;
        let user = Duration::from_millis(10 * ticks.parse::<u64>()?);
        Ok(Self { total, user })
    }

    /// What was used since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            total: self.total.saturating_sub(before.total),
            user: self.user.saturating_sub(before.user),
        }
    }
}

impl std::ops::AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.user += other.user;
    }
}

/// A figure of a process's `status` file, such as `VmHWM` (in KiB) or `voluntary_ctxt_switches`.
///
/// # Errors
///
/// When there is no such process or figure.
pub fn status(process: &str, what: &str) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    let figure = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    let figure = figure.ok_or_else(|| format!("no `{what}` in `status`"))?;
    Ok(figure.parse()?)
}

/// How many descriptors a process has.
///
/// # Errors
///
/// When there is no such process.
pub fn descriptors(process: &str) -> Result<usize, Box<dyn Error>> {
    Ok(fs::read_dir(format!("/proc/{process}/fd"))?.count())
}

/// A server that printed its port as its first line. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens, on this machine.
    pub port: u16,
}

impl Server {
    /// Starts it, and waits for its port.
    ///
    /// # Errors
    ///
    /// When it does not start or prints something else.
    pub fn start(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse();
        let port = port.map_err(|_| format!("{command:?} printed `{line}`"))?;
        Ok(Self { child, port })
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn ended(mut self) -> io::Result<()> {
        self.child.wait().map(drop)
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended itself.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}
