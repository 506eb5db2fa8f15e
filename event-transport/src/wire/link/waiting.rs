//! What waits for the bus: it is in memory as long, whatever becomes of the session that it came with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many events and requests of one session wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(AtomicUsize);

/// One that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Waits(Arc<Waiting>);

impl Waiting {
    pub(super) fn one(self: &Arc<Self>) -> Waits {
        self.0.fetch_add(1, Ordering::AcqRel);
        Waits(Arc::clone(self))
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
