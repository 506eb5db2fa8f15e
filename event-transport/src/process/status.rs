//! How a process ended, and why it was not sent a signal.

#[cfg(unix)]
use std::error::Error;
use std::fmt;
#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;

use event_runtime::event_loop::Signal;

/// How a process ended: with an exit code, by a signal, or unknown.
///
/// It is unknown if somebody else in this program waited for the process, such as a library that waits for all children; then the operating system has
/// forgotten it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus(Option<std::process::ExitStatus>);

impl ExitStatus {
    #[cfg(unix)]
    pub(super) const UNKNOWN: Self = Self(None);

    /// Whether the exit code is 0.
    pub fn is_success(self) -> bool {
        self.0.is_some_and(|status| status.success())
    }

    /// The exit code; `None` if a signal ended it, or if it is unknown.
    pub fn code(self) -> Option<i32> {
        self.0.and_then(|status| status.code())
    }

    /// The signal that ended it.
    pub fn signal(self) -> Option<Signal> {
        #[cfg(unix)]
        let number = self.0.and_then(|status| status.signal());
        #[cfg(not(unix))]
        let number = None;
        number.map(Signal::from_number)
    }

    /// Whether nobody can know it any more.
    pub fn is_unknown(self) -> bool {
        self.0.is_none()
    }
}

impl From<std::process::ExitStatus> for ExitStatus {
    fn from(status: std::process::ExitStatus) -> Self {
        Self(Some(status))
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code(), self.signal()) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "ended by {signal}"),
            (None, None) => f.write_str("unknown: somebody else has waited for the process"),
        }
    }
}

impl fmt::Debug for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExitStatus({self})")
    }
}

/// Why a process was not sent a signal.
#[cfg(unix)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalError {
    /// The process has ended. Its number may belong to another one already, which is never sent a signal.
    NoProcess,
    /// This system has no signal of this number that has a name.
    NoSignal,
    /// The process runs for another user.
    Denied,
}

#[cfg(unix)]
impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SignalError::NoProcess => "the process has ended",
            SignalError::NoSignal => "this system has no signal of this number that has a name",
            SignalError::Denied => "the process runs for another user",
        })
    }
}

#[cfg(unix)]
crate::words::debug_as_display!(SignalError);

#[cfg(unix)]
impl Error for SignalError {}
