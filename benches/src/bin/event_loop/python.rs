//! The loops of Python: asyncio's own, and uvloop.

use std::cell::RefCell;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use tidings_benches::timed::{Took, Workload};

const PROGRAM: &str = include_str!("python.py");

/// A process that measures when it is told to.
struct Python {
    child: Child,
    input: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// Of the same names as ours. `python` is an interpreter that has uvloop.
///
/// # Errors
///
/// When the interpreter cannot be started.
pub(crate) fn workloads(python: &str) -> Result<Vec<Workload>, Box<dyn Error>> {
    let asyncio = Python::start(python, "asyncio")?;
    let uvloop = Python::start(python, "uvloop")?;
    Ok(vec![
        asyncio.workload("asyncio call_soon", 1_000_000),
        uvloop.workload("uvloop call_soon", 1_000_000),
        asyncio.workload("asyncio chain", 100_000),
        uvloop.workload("uvloop chain", 100_000),
        asyncio.workload("asyncio insert", 100_000),
        uvloop.workload("uvloop insert", 100_000),
        asyncio.workload("asyncio churn", 100_000),
        uvloop.workload("uvloop churn", 100_000),
        asyncio.workload("asyncio join", 100_000),
        uvloop.workload("uvloop join", 100_000),
        asyncio.workload("asyncio yields", 100_000),
        uvloop.workload("uvloop yields", 100_000),
        asyncio.workload("asyncio promise", 100_000),
        uvloop.workload("uvloop promise", 100_000),
        asyncio.workload("asyncio threadsafe", 100_000),
        uvloop.workload("uvloop threadsafe", 100_000),
    ])
}

/// A process that several workloads use.
struct Shared(Rc<RefCell<Python>>);

impl Python {
    fn start(python: &str, who: &str) -> Result<Shared, Box<dyn Error>> {
        let mut child = Command::new(python)
            .args(["-c", PROGRAM, who])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let input = input.ok_or("the process has no input")?;
        let output = output.ok_or("the process has no output")?;
        let answers = BufReader::new(output).lines();
        let python = Self {
            child,
            input,
            answers,
        };
        Ok(Shared(Rc::new(RefCell::new(python))))
    }

    fn measure(&mut self, what: &str, items: u64) -> Took {
        writeln!(self.input, "{what} {items}")?;
        let answer = self.answers.next().ok_or("the process has ended")??;
        Ok(Duration::from_nanos(answer.parse()?))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It waits for its next order, and it may be gone already.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

impl Shared {
    fn workload(&self, name: &'static str, items: u64) -> Workload {
        let python = Rc::clone(&self.0);
        let what = name.split_once(' ').map_or(name, |(_, what)| what);
        Workload::new(name, items, move |items| {
            python.borrow_mut().measure(what, items)
        })
    }
}
