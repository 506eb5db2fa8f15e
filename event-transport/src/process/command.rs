//! What shall run.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use super::child::Child;
use crate::error::TransportError;
use crate::stream::check_reactor;

/// Where one of the three standard streams of a child leads.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Stdio {
    /// To this program, through a pipe.
    #[default]
    Piped,
    /// Where that of this program leads.
    Inherit,
    /// Nowhere: there is nothing to read, and what is written is gone.
    Null,
    /// To a file, or whatever else is open.
    Fd(OwnedFd),
}

impl<F: Into<OwnedFd>> From<F> for Stdio {
    fn from(file: F) -> Self {
        Stdio::Fd(file.into())
    }
}

/// A program to run as a child, for [`process`](crate::process()) and [`communicate`](crate::communicate).
///
/// Its standard streams are pipes unless it is said otherwise; everything else it has from this program: the environment, the directory, the process group.
/// A command of the standard library's or of tokio's is made one by `into`, and then has its streams as they were set there.
///
/// ```
/// use tidings::EventLoop;
/// use tidings::transport::{command, communicate, shell};
///
/// let lp = EventLoop::new()?;
/// lp.run_until_complete(async {
///     let order = command("printenv").arg("ORDER").env("ORDER", "coffee");
///     assert_eq!(communicate(order, "", 1000).await?.stdout, b"coffee\n");
///
///     let both = shell("echo out; echo err >&2").stderr_to_stdout();
///     assert_eq!(communicate(both, "", 1000).await?.stdout, b"out\nerr\n");
///     Ok::<_, tidings::transport::TransportError>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing runs before it is given to `process` or `communicate`"]
pub struct Command {
    inner: std::process::Command,
    /// `None` if they were set in the command already.
    streams: Option<Streams>,
    /// It has nothing of this program's environment.
    is_env_cleared: bool,
}

#[derive(Debug)]
struct Streams {
    stdin: Stdio,
    stdout: Stdio,
    /// `None` if it leads where the standard output does.
    stderr: Option<Stdio>,
}

/// A program by its name or path. A name without a slash is looked for in the directories of `PATH`.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    Command {
        inner: std::process::Command::new(program),
        streams: Some(Streams::piped()),
        is_env_cleared: false,
    }
}

/// A line for the shell, `/bin/sh`. Whoever puts a text of a user's into it lets the user run anything: give that as an argument of [`command`].
pub fn shell(script: impl AsRef<OsStr>) -> Command {
    command("/bin/sh").arg("-c").arg(script)
}

impl Command {
    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.inner.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Removes a variable from its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.inner.env_remove(name);
        self
    }

    /// Removes everything from its environment.
    pub fn env_clear(mut self) -> Self {
        self.inner.env_clear();
        self.is_env_cleared = true;
        self
    }

    /// The directory that it runs in.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.inner.current_dir(dir);
        self
    }

    /// The process group that it belongs to; 0 is one of its own, so that a Ctrl-C in the terminal is not for it.
    pub fn process_group(mut self, group: i32) -> Self {
        self.inner.process_group(group);
        self
    }

    /// Where it reads from.
    pub fn stdin(mut self, stdio: impl Into<Stdio>) -> Self {
        self.streams().stdin = stdio.into();
        self
    }

    /// Where it writes to.
    pub fn stdout(mut self, stdio: impl Into<Stdio>) -> Self {
        self.streams().stdout = stdio.into();
        self
    }

    /// Where it writes its errors to.
    pub fn stderr(mut self, stdio: impl Into<Stdio>) -> Self {
        self.streams().stderr = Some(stdio.into());
        self
    }

    /// Has it write its errors where it writes to, in one order with the rest. There is no pipe for them then.
    pub fn stderr_to_stdout(mut self) -> Self {
        self.streams().stderr = None;
        self
    }

    /// Once one of them is set here all are: those that were set in a command of another library's cannot be seen.
    fn streams(&mut self) -> &mut Streams {
        self.streams.get_or_insert_with(Streams::piped)
    }

    /// Runs it.
    pub(super) fn spawn(self) -> Result<Spawned, TransportError> {
        check_reactor("a child process")?;
        let Self {
            inner: mut command,
            streams,
            is_env_cleared,
        } = self;
        let failed = |command: &std::process::Command, error| {
            TransportError::spawn(why(command, is_env_cleared, &error), error)
        };
        let both = match streams.map(|streams| streams.set(&mut command)) {
            None => None,
            Some(Ok(both)) => both,
            Some(Err(error)) => return Err(failed(&command, error)),
        };
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(false);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Err(failed(command.as_std(), error)),
        };
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // From here on it is killed if something fails.
        let child = Child::new(child);
        let pipes = || -> io::Result<_> {
            let stdin = stdin.map(ChildStdin::into_owned_fd).transpose()?;
            let stdout = stdout.map(ChildStdout::into_owned_fd).transpose()?;
            let stderr = stderr.map(ChildStderr::into_owned_fd).transpose()?;
            Ok([stdin, both.or(stdout), stderr].map(|fd| fd.map(File::from)))
        };
        match pipes() {
            Ok(pipes) => Ok(Spawned { child, pipes }),
            Err(error) => Err(failed(command.as_std(), error)),
        }
    }
}

/// A child that runs, and the ends of its pipes, by the child's numbers.
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) pipes: [Option<File>; 3],
}

impl Streams {
    fn piped() -> Self {
        Self {
            stdin: Stdio::Piped,
            stdout: Stdio::Piped,
            stderr: Some(Stdio::Piped),
        }
    }

    /// Gives them to the command. The reading end of what the standard output and the errors share is ours.
    fn set(self, command: &mut std::process::Command) -> io::Result<Option<OwnedFd>> {
        let given = |stdio| match stdio {
            Stdio::Piped => std::process::Stdio::piped(),
            Stdio::Inherit => std::process::Stdio::inherit(),
            Stdio::Null => std::process::Stdio::null(),
            Stdio::Fd(fd) => fd.into(),
        };
        command.stdin(given(self.stdin));
        if let Some(stderr) = self.stderr {
            command.stdout(given(self.stdout)).stderr(given(stderr));
            return Ok(None);
        }
        let (stdout, ours) = match self.stdout {
            Stdio::Null => {
                command
                    .stdout(given(Stdio::Null))
                    .stderr(given(Stdio::Null));
                return Ok(None);
            }
            Stdio::Piped => {
                let (sender, receiver) = tokio::net::unix::pipe::pipe()?;
                (
                    sender.into_blocking_fd()?,
                    Some(receiver.into_blocking_fd()?),
                )
            }
            Stdio::Inherit => (io::stdout().as_fd().try_clone_to_owned()?, None),
            Stdio::Fd(fd) => (fd, None),
        };
        command.stderr(stdout.try_clone()?).stdout(stdout);
        Ok(ours)
    }
}

/// What is to be said of a command that cannot be run, beside the words of the operating system.
fn why(command: &std::process::Command, is_env_cleared: bool, error: &io::Error) -> String {
    let program = Path::new(command.get_program());
    let name = program.display();
    let dir = command.get_current_dir();
    if let Some(dir) = dir.filter(|dir| !dir.is_dir()) {
        let dir = dir.display();
        return format!("cannot run `{name}` in `{dir}`, which is no directory");
    }
    let is_path = program.as_os_str().as_encoded_bytes().contains(&b'/');
    let at = dir.map_or_else(|| program.to_owned(), |dir| dir.join(program));
    match error.kind() {
        io::ErrorKind::NotFound if name.to_string().contains(char::is_whitespace) => {
            format!(
                "cannot run `{name}`: there is no program of this name; its arguments are given by `.arg(..)`, and a line is one for `shell(..)`"
            )
        }
        io::ErrorKind::NotFound if !is_path => {
            let set = command.get_envs().find(|(name, _)| *name == "PATH");
            let path = match set {
                Some((_, path)) => path.map(OsStr::to_owned),
                None if is_env_cleared => None,
                None => env::var_os("PATH"),
            };
            let Some(path) = path else {
                return format!(
                    "cannot run `{name}`: it is in no directory of the system's, and PATH is not set"
                );
            };
            let path = path.to_string_lossy();
            format!("cannot run `{name}`: no directory of PATH has such a program (`{path}`)")
        }
        io::ErrorKind::NotFound if at.exists() => {
            format!("cannot run `{name}`: the interpreter that it names is not there")
        }
        io::ErrorKind::NotFound => {
            let here = env::current_dir().unwrap_or_default();
            let dir = here.join(dir.unwrap_or(Path::new("")));
            let dir = dir.display();
            format!("cannot run `{name}`: there is no such file, seen from `{dir}`")
        }
        io::ErrorKind::PermissionDenied if at.is_dir() => {
            format!("cannot run `{name}`: it is a directory")
        }
        io::ErrorKind::PermissionDenied => {
            format!("cannot run `{name}`: it may not be executed, as `chmod +x` would allow")
        }
        _ => format!("cannot run `{name}`: {error}"),
    }
}

impl From<std::process::Command> for Command {
    fn from(command: std::process::Command) -> Self {
        Self {
            inner: command,
            streams: None,
            is_env_cleared: false,
        }
    }
}

impl From<tokio::process::Command> for Command {
    fn from(command: tokio::process::Command) -> Self {
        command.into_std().into()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its environment may have what is secret.
        f.debug_struct("Command")
            .field("program", &self.inner.get_program())
            .field("args", &self.inner.get_args().count())
            .finish_non_exhaustive()
    }
}
