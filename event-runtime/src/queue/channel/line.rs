//! Items that wait for room, in the order in which they came.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use super::feed::Feed;
use super::state::{Back, Front, Shared};
use super::wakers::Calls;

/// Nobody overtakes who stands here: an offer is refused as long as somebody does, and free places are filled from its front.
pub(super) struct Line<T> {
    next: u64,
    /// Each under a ticket.
    list: VecDeque<(u64, Waiter<T>)>,
}

pub(super) struct Waiter<T> {
    pub(super) key: u64,
    pub(super) item: T,
    /// When it came.
    pub(super) since: Instant,
    /// Of who is to be told. None before the first poll.
    pub(super) waker: Option<Waker>,
}

impl<T> Line<T> {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            list: VecDeque::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn add(&mut self, waiter: Waiter<T>) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.list.push_back((ticket, waiter));
        ticket
    }

    fn find(&self, ticket: u64) -> Option<usize> {
        self.list.binary_search_by_key(&ticket, |(it, _)| *it).ok()
    }

    /// Who waits under this ticket; `None` if he was let in.
    pub(super) fn get(&mut self, ticket: u64) -> Option<&mut Waiter<T>> {
        let at = self.find(ticket)?;
        self.list.get_mut(at).map(|(_, waiter)| waiter)
    }

    pub(super) fn remove(&mut self, ticket: u64) -> Option<Waiter<T>> {
        let at = self.find(ticket)?;
        self.list.remove(at).map(|(_, waiter)| waiter)
    }

    /// Has everybody look again. They keep their places.
    pub(super) fn wakers(&mut self) -> impl Iterator<Item = Waker> + '_ {
        let waiters = self.list.iter_mut();
        waiters.filter_map(|(_, waiter)| waiter.waker.take())
    }
}

impl<T> Shared<T> {
    /// Lets in who waits, as many as there are places.
    pub(super) fn let_in(&self, front: &mut Front<T>, back: &mut Back<T>, calls: &mut Calls) {
        while !back.closed && self.depth(back) < self.config.capacity {
            let Some((_, waiter)) = back.line.list.pop_front() else {
                front.room_wanted = false;
                return;
            };
            calls.wake.extend(waiter.waker);
            back.high_water = back.high_water.max(back.seen_depth() + 1);
            let number = back.count_entry();
            let oldest = match &front.feed {
                Feed::Keyed(keyed) => keyed.oldest().unwrap_or(number),
                Feed::Plain(_) => back.left_seen,
            };
            back.marks.add(number, waiter.since, oldest);
            let ready = match &mut front.feed {
                Feed::Keyed(keyed) => keyed.push(waiter.key, number, waiter.item),
                Feed::Plain(_) => {
                    back.list.push_back(waiter.item);
                    true
                }
            };
            if ready {
                self.call_worker(back, calls);
            }
        }
    }
}
