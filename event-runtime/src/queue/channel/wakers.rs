//! Who waits, in order, and the wake-ups that are made once the locks are released.

use std::collections::VecDeque;
use std::task::Waker;

/// Wakers in the order in which they came, each under a ticket.
#[derive(Default)]
pub(super) struct Wakers {
    next: u64,
    list: VecDeque<(u64, Waker)>,
}

impl Wakers {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn add(&mut self, waker: Waker) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.list.push_back((ticket, waker));
        ticket
    }

    /// Takes out one waiter; `None` if it was called meanwhile.
    pub(super) fn remove(&mut self, ticket: u64) -> Option<Waker> {
        let at = self
            .list
            .binary_search_by_key(&ticket, |(it, _)| *it)
            .ok()?;
        self.list.remove(at).map(|(_, waker)| waker)
    }

    /// The waiter that came last: a worker whose stack is warm, while the others come nearer to their end.
    pub(super) fn latest(&mut self) -> Option<Waker> {
        self.list.pop_back().map(|(_, waker)| waker)
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.list)
            .into_iter()
            .map(|(_, waker)| waker)
    }
}

/// What is to be done after the locks: a waker's code is not ours.
#[must_use]
#[derive(Default)]
pub(super) struct Calls {
    pub(super) wake: Vec<Waker>,
    /// Wakers that are not needed any more. Their `Drop` is not ours either.
    pub(super) gone: Vec<Waker>,
    /// The number of a worker to be started.
    pub(super) start: Option<u64>,
}
