//! How a worker finds its next items. All of it runs under the locks.

use std::task::Waker;
use std::time::Instant;

use super::feed::Feed;
use super::state::{Back, Delayed, Front, Held, Shared};
use super::wakers::Calls;
use crate::sync::{MutexGuard, lock};

/// What became of items that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    Skipped,
    Failed,
    Abandoned,
}

/// What a worker has in its hands.
pub(super) struct Hands<T> {
    pub(super) number: u64,
    /// How many items it takes at once.
    pub(super) most: usize,
    pub(super) items: Vec<T>,
    /// Items that ran, until their end is counted.
    pub(super) spent: Vec<T>,
    /// How many are dropped and were not told of.
    pub(super) gone: usize,
    pub(super) key: u64,
    pub(super) attempt: u32,
    /// What became of the items taken last. It is told with the next lock that is taken anyway.
    pub(super) after: After,
    /// Its place among the sleepers.
    pub(super) ticket: Option<u64>,
    pub(super) ended: bool,
}

#[derive(Clone, Copy)]
pub(super) enum After {
    /// There was nothing, or it was told.
    Nothing,
    Running(usize),
    Ended(Outcome, usize),
    Retry(Instant, usize),
}

/// What a worker found.
pub(super) enum Found {
    Items,
    End,
    /// Nothing, until it is called or this time comes.
    Nothing(Option<Instant>),
    /// The clock has to be read first.
    NeedsTime,
    /// A waker has to be given first.
    NeedsWaker,
}

/// What a worker brings along: users' code that ran before the locks.
pub(super) struct Given {
    pub(super) now: Option<Instant>,
    pub(super) waker: Option<Waker>,
}

impl<T> Hands<T> {
    /// The usual case of [`step`](Self::step): the next items are there, and nobody waits for anything.
    pub(super) fn step_on(&mut self, shared: &Shared<T>) -> bool {
        let mut front = lock(&shared.front);
        if front.room_wanted || !front.held.is_empty() || !front.delayed.is_empty() {
            return false;
        }
        self.settle(shared, &mut front);
        if !front.delayed.is_empty() || !front.held.is_empty() || !self.take(&mut front) {
            return false;
        }
        self.hold(shared, &mut front);
        true
    }

    pub(super) fn step(
        &mut self,
        shared: &Shared<T>,
        may_end: &dyn Fn() -> bool,
        given: &mut Given,
        calls: &mut Calls,
    ) -> Found {
        let mut front = lock(&shared.front);
        self.settle(shared, &mut front);
        self.wake_up(&mut front, || lock(&shared.back), calls);
        if !front.held.is_empty() || !front.delayed.is_empty() {
            match self.retry(&mut front, given, calls) {
                Some(Found::Items) => {
                    shared.find_minder(&front, &mut lock(&shared.back), calls);
                    return Found::Items;
                }
                Some(found) => return found,
                None => {}
            }
        }
        if self.take(&mut front) {
            self.begin(shared, &mut front, || lock(&shared.back), calls);
            return Found::Items;
        }
        let mut back = lock(&shared.back);
        if !back.line.is_empty() {
            // Nobody may have asked for these places yet.
            shared.let_in(&mut front, &mut back, calls);
        }
        let more = front.swap(&mut back) || front.feed.has_ready();
        if more && self.take(&mut front) {
            self.begin(shared, &mut front, || back, calls);
            return Found::Items;
        }
        if Shared::is_idle(&front, &back) {
            calls.wake.extend(back.idle.take_all());
        }
        let unminded = front.unminded();
        if (may_end() || back.closed) && unminded.is_none() {
            back.workers -= 1;
            self.ended = true;
            return Found::End;
        }
        let Some(waker) = given.waker.take() else {
            return Found::NeedsWaker;
        };
        self.ticket = Some(back.sleepers.add(waker));
        if let Some(due) = unminded {
            front.minder = Some((self.number, due));
        }
        Found::Nothing(unminded)
    }

    /// Counts what the last items came to.
    fn settle(&mut self, shared: &Shared<T>, front: &mut Front<T>) {
        let (outcome, items) = match std::mem::replace(&mut self.after, After::Nothing) {
            After::Nothing => return,
            After::Retry(due, items) => {
                front.running -= items;
                front.in_backoff += items;
                let delayed = Delayed {
                    items: std::mem::take(&mut self.items),
                    key: self.key,
                    attempt: self.attempt + 1,
                };
                if shared.config.keyed {
                    front.delay(due, delayed);
                } else {
                    let waker = None;
                    let held = Held {
                        due,
                        delayed,
                        waker,
                    };
                    front.held.insert(self.number, held);
                }
                return;
            }
            After::Running(items) => (Outcome::Failed, items),
            After::Ended(outcome, items) => (outcome, items),
        };
        front.running -= items;
        *front.counter(outcome) += items as u64;
        front.feed.free(self.key);
    }

    /// It waits no longer, neither for items nor for a retry of others.
    fn wake_up<'a>(
        &mut self,
        front: &mut Front<T>,
        back: impl FnOnce() -> MutexGuard<'a, Back<T>>,
        calls: &mut Calls,
    ) where
        T: 'a,
    {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        calls.gone.extend(back().sleepers.remove(ticket));
        if front
            .minder
            .is_some_and(|(minder, _)| minder == self.number)
        {
            front.minder = None;
        }
    }

    /// Looks for items whose retry is due.
    fn retry(
        &mut self,
        front: &mut Front<T>,
        given: &mut Given,
        calls: &mut Calls,
    ) -> Option<Found> {
        let Some(now) = given.now else {
            return Some(Found::NeedsTime);
        };
        let delayed = if let Some(held) = front.held.get_mut(&self.number) {
            if held.due > now {
                let Some(waker) = given.waker.take() else {
                    return Some(Found::NeedsWaker);
                };
                calls.gone.extend(held.waker.replace(waker));
                return Some(Found::Nothing(Some(held.due)));
            }
            let held = front.held.remove(&self.number)?;
            calls.gone.extend(held.waker);
            held.delayed
        } else {
            let first = front.delayed.first_entry()?;
            if first.key().0 > now {
                return None;
            }
            first.remove()
        };
        let items = delayed.items.len();
        front.in_backoff -= items;
        front.running += items;
        front.retried += items as u64;
        self.items = delayed.items;
        self.key = delayed.key;
        self.attempt = delayed.attempt;
        self.after = After::Running(items);
        Some(Found::Items)
    }

    fn take(&mut self, front: &mut Front<T>) -> bool {
        self.key = front.feed.take(self.most, &mut self.items);
        self.attempt = 0;
        !self.items.is_empty()
    }

    /// New items begin, so there is room for others.
    fn begin<'a>(
        &mut self,
        shared: &Shared<T>,
        front: &mut Front<T>,
        back: impl FnOnce() -> MutexGuard<'a, Back<T>>,
        calls: &mut Calls,
    ) where
        T: 'a,
    {
        self.hold(shared, front);
        if !front.room_wanted && front.unminded().is_none() {
            return;
        }
        let back = &mut *back();
        if front.room_wanted {
            shared.let_in(front, back, calls);
        }
        shared.find_minder(front, back, calls);
    }

    fn hold(&mut self, shared: &Shared<T>, front: &mut Front<T>) {
        let items = self.items.len();
        self.after = After::Running(items);
        front.running += items;
        front.begun += items as u64;
        front.taken = true;
        shared.leave(items);
    }

    /// Gives all back at the end of the worker. The caller drops the items.
    pub(super) fn let_go(&mut self, shared: &Shared<T>, calls: &mut Calls) {
        let mut front = lock(&shared.front);
        self.settle(shared, &mut front);
        self.wake_up(&mut front, || lock(&shared.back), calls);
        if let Some(held) = front.held.remove(&self.number) {
            calls.gone.extend(held.waker);
            front.delay(held.due, held.delayed);
        }
        let mut back = lock(&shared.back);
        if !self.ended {
            back.workers -= 1;
        }
        // No new worker is asked for: where this one ran may be ending, and would drop that one as well.
        if Shared::has_work(&front, &back) {
            calls.wake.extend(back.sleepers.latest());
        }
        if Shared::is_idle(&front, &back) {
            calls.wake.extend(back.idle.take_all());
        }
    }
}

impl<T> Shared<T> {
    /// The caller is busy now, so somebody else has to be there for the next retry.
    fn find_minder(&self, front: &Front<T>, back: &mut Back<T>, calls: &mut Calls) {
        if front.unminded().is_some() {
            self.call_worker(back, calls);
        }
    }
}

impl<T> Front<T> {
    pub(super) fn counter(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Delivered => &mut self.delivered,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
            Outcome::Abandoned => &mut self.abandoned,
        }
    }

    fn delay(&mut self, due: Instant, delayed: Delayed<T>) {
        self.next_delayed += 1;
        self.delayed.insert((due, self.next_delayed), delayed);
    }

    /// Fetches what emitters have added, once the workers' side is empty.
    fn swap(&mut self, back: &mut Back<T>) -> bool {
        let Feed::Plain(list) = &mut self.feed else {
            return false;
        };
        std::mem::swap(list, &mut back.list);
        !list.is_empty()
    }
}
