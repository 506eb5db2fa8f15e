//! Where the queues have their time from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

/// A wait of a [`Clock`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time, and waits for one.
///
/// It is never called while a queue is locked, so it may use queues itself.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Instant;

    /// Ends at the given time, at once if that has passed.
    fn sleep_until(&self, at: Instant) -> Sleep;
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
