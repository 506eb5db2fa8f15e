//! Child processes: connections that are made of pipes and of an end.
//!
//! `command` is what shall run, `child` what the operating system knows of it; `state` is one process with its pipes, `pipe` what one of these tells it, `task`
//! what drives it; `transport` is what a protocol sees of it. `spawn` makes one, and `communicate` does without events.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod command;
#[cfg(unix)]
mod communicate;
#[cfg(unix)]
mod pipe;
#[cfg(unix)]
mod spawn;
#[cfg(unix)]
mod state;
mod status;
#[cfg(unix)]
mod task;
#[cfg(unix)]
mod transport;

#[cfg(unix)]
pub use command::{Command, Stdio, command, shell};
#[cfg(unix)]
pub use communicate::{Output, communicate};
#[cfg(unix)]
pub use spawn::{Spawn, process, process_with};
pub use status::ExitStatus;
#[cfg(unix)]
pub use status::SignalError;
#[cfg(unix)]
pub use transport::ProcessTransport;
