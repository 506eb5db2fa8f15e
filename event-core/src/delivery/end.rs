//! How a delivery ends, and what it leaves to be emitted.

use std::sync::Arc;

use super::Pending;
use crate::bus::Inner;
use crate::bus::work::Lease;
use crate::dispatch::Queue;
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::Failure;
use crate::dispatch::stack::{Chain, Entry};
use crate::listener::returns::Returned;

/// How a delivery ended, and what it returned.
pub(crate) struct End {
    pub(crate) result: Result<Ended, Failure>,
    pub(crate) returned: Vec<Box<dyn Returned>>,
}

/// A delivery without failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Ran,
    /// Another delivery of the listener had precedence.
    Skipped,
}

/// What became of a delivery that was given to a runtime.
pub(crate) enum Given {
    /// Nobody waits for it.
    Accepted,
    /// The emission's future waits for it.
    Awaited,
    /// At once, without having run.
    Ended(Result<Ended, Failure>),
}

/// The bus and the chain of a delivery that ended.
pub(crate) struct FollowUp {
    bus: Arc<Inner>,
    chain: Chain,
    /// The delivery is open as long as this lives: until what it returned is emitted and counts by itself.
    _lease: Option<Lease>,
}

/// For a delivery that was never pending.
pub(crate) fn follow_up(bus: Arc<Inner>, own: Entry) -> FollowUp {
    FollowUp {
        bus,
        chain: Chain::One(own),
        _lease: None,
    }
}

impl FollowUp {
    /// Whether somebody outside of every delivery made the emission.
    pub(crate) fn is_outside(&self) -> bool {
        matches!(self.chain, Chain::One(_))
    }

    /// Emits what the listener returned; async deliveries are left with the emission, which must have begun before this is dropped. `outside`
    /// is for somebody who awaits the emission outside of every delivery: he may wait for room too.
    pub(crate) fn emit(&self, returned: Vec<Box<dyn Returned>>, outside: bool) -> Emission {
        let mut emission = Emission::nothing();
        let mut queue = Queue::default();
        queue.extend(returned, self.chain.entries());
        queue.outside = outside;
        queue.drain(&self.bus, &mut emission);
        emission
    }
}

impl Pending {
    /// Where what the listener returned is emitted from.
    pub(crate) fn follow_up(&mut self) -> FollowUp {
        FollowUp {
            bus: Arc::clone(&self.handed.bus),
            chain: self.chain.clone(),
            _lease: self.lease.take(),
        }
    }
}
