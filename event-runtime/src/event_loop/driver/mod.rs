//! What a loop waits with between its turns.

mod park;
#[cfg(feature = "tokio")]
mod tokio;
mod virtual_time;

use std::io;
use std::thread;

use super::shared::{Nanos, Shared};

pub(super) use park::Park;
#[cfg(feature = "tokio")]
pub(super) use tokio::Tokio;
pub(super) use virtual_time::VirtualTime;

/// How a run goes on after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With the next turn; something is ready.
    Again,
    /// When a message comes, or at a time.
    Wait(Option<Nanos>),
    /// Not at all.
    Done,
}

/// Waits, and polls I/O between turns.
pub(super) trait Driver {
    /// Calls `turn` until it is done.
    fn run(&self, shared: &Shared, turn: &mut dyn FnMut() -> Next);

    /// Calls `f` on another thread.
    fn blocking(&self, f: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        let thread = thread::Builder::new().name("tidings:blocking".to_owned());
        thread.spawn(f).map(drop)
    }

    /// Drops what it holds of the user's, in a run at its end. Nothing runs after it.
    fn end(&self) {}
}
