//! A child as the operating system has it.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::thread::sleep;
use std::time::{Duration, Instant};

use event_runtime::event_loop::Signal;
use rustix::io::Errno;
use rustix::process::{Pid, kill_process};

use super::status::{ExitStatus, SignalError};

/// The number of the signal that no process can ignore.
pub(super) const KILL: i32 = rustix::process::Signal::KILL.as_raw();

/// How long a drop waits for the end of what it killed. Only a process that the kernel cannot interrupt takes so long; tokio's next runtime reaps it.
const LONGEST_END: Duration = Duration::from_secs(1);

/// A child that nobody but its owner waits for. Dropped, it is killed and reaped.
#[derive(Debug)]
pub(super) struct Child {
    inner: tokio::process::Child,
    pid: u32,
    status: Option<ExitStatus>,
}

impl Child {
    /// The child must not be one that tokio kills when it is dropped: it would also do that to one that somebody else has reaped.
    pub(super) fn new(child: tokio::process::Child) -> Self {
        Self {
            pid: child.id().unwrap_or_default(),
            inner: child,
            status: None,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if that has been seen.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Waits for its end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ExitStatus> {
        if let Some(status) = self.status {
            return Poll::Ready(status);
        }
        // Nothing is kept in the future between two polls.
        let ended = ready!(pin!(self.inner.wait()).poll(cx));
        let status = ended.map_or(ExitStatus::UNKNOWN, ExitStatus::from);
        Poll::Ready(*self.status.insert(status))
    }

    /// Looks whether it has ended.
    fn look(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = match self.inner.try_wait() {
                Ok(status) => status.map(ExitStatus::from),
                Err(_) => Some(ExitStatus::UNKNOWN),
            };
        }
        self.status
    }

    /// Its number is its own until it is reaped, which happens only here.
    pub(super) fn signal(&mut self, signal: Signal) -> Result<(), SignalError> {
        if self.look().is_some() {
            return Err(SignalError::NoProcess);
        }
        let named = rustix::process::Signal::from_named_raw(signal.number());
        let signal = named.ok_or(SignalError::NoSignal)?;
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(SignalError::NoProcess)?;
        match kill_process(pid, signal) {
            Ok(()) => Ok(()),
            Err(Errno::PERM) => Err(SignalError::Denied),
            Err(_) => Err(SignalError::NoProcess),
        }
    }

    /// Kills it, and waits until it is gone.
    pub(super) fn end(&mut self) {
        if self.signal(Signal::from_number(KILL)).is_err() {
            return;
        }
        let begun = Instant::now();
        while self.look().is_none() && begun.elapsed() < LONGEST_END {
            sleep(Duration::from_micros(100));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}
