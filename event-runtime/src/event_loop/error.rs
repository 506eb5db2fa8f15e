//! What a loop refuses, and how a run of it ends early.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

#[cfg(feature = "signal")]
use super::signal::Signal;

/// Why an event loop did not do what it was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoopError {
    /// A loop runs on this thread already, this one or another.
    AlreadyRunning,
    /// The loop was closed.
    Closed,
    /// The loop was stopped before the future ended. What it waited for is still there, and a later run goes on with it; the `main` of
    /// [`run`](super::run) was asked to end and gave no result.
    Stopped,
    /// This thread runs the tasks of a tokio runtime, so it must not block.
    InsideRuntime,
    /// The scope has failed, was cancelled or is over, so it starts no task.
    ScopeEnded,
    /// A callback, a task or a listener returned [`Fatal`].
    Fatal(Fatal),
    /// The operating system gave no I/O driver, or no thread.
    Driver(io::Error),
    /// The signal cannot be handled, and why.
    #[cfg(feature = "signal")]
    SignalRefused(Signal, io::Error),
    /// The signal asked the program to end, and its `main` gave no result.
    #[cfg(feature = "signal")]
    Signalled(Signal),
}

impl fmt::Display for LoopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoopError::AlreadyRunning => f.write_str(
                "an event loop runs on this thread already; use that one, or another thread",
            ),
            LoopError::Closed => f.write_str("the event loop is closed; make a new one"),
            LoopError::Stopped => {
                f.write_str("the event loop was stopped before the future ended; run it again to go on, or await `cancelled()` in a `main` to clean up")
            }
            LoopError::InsideRuntime => f.write_str(
                "this thread runs tasks of a tokio runtime and must not block; use `EventLoop::background()`, or give the bus the tokio handle as its runtime",
            ),
            LoopError::ScopeEnded => {
                f.write_str("the scope has failed, was cancelled or is over, and starts no task")
            }
            LoopError::Fatal(fatal) => write!(f, "{fatal}"),
            LoopError::Driver(_) => {
                f.write_str("the operating system gave the event loop no I/O driver or no thread")
            }
            #[cfg(feature = "signal")]
            LoopError::SignalRefused(signal, _) => write!(f, "{signal} cannot be handled"),
            #[cfg(feature = "signal")]
            LoopError::Signalled(signal) => write!(
                f,
                "{signal} ended the program before its `main` had; await `cancelled()` in it to clean up"
            ),
        }
    }
}

impl Error for LoopError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LoopError::Fatal(fatal) => fatal.source(),
            LoopError::Driver(error) => Some(error),
            #[cfg(feature = "signal")]
            LoopError::SignalRefused(_, error) => Some(error),
            _ => None,
        }
    }
}

/// An error that ends the run of the loop: returned as the `Err` of a callback, or as the error of a task that was detached.
///
/// The item that returned it is the last of the run. The loop is not closed, and can run again.
///
/// ```
/// use tidings::event_loop::{EventLoop, Fatal, LoopError};
///
/// let lp = EventLoop::virtual_time();
/// lp.call_soon(|_| Err::<(), _>(Fatal::new("the disk is gone")))?;
/// let ended = lp.run_until_idle();
/// assert!(matches!(ended, Err(LoopError::Fatal(fatal)) if fatal.to_string() == "the disk is gone"));
/// # Ok::<(), LoopError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fatal(Arc<dyn Error + Send + Sync>);

impl Fatal {
    /// Makes an error, or a text, one that ends the run.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }

    /// The error that it was made of.
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Fatal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The words are those of the error itself.
        self.0.source()
    }
}
