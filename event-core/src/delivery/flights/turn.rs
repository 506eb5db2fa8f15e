//! What a delivery does with its place.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::{Entry, FirstPoll, Flights, GIVEN_UP, Say, Stage, Turn};
use crate::listener::policy::Overlap;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, lock};

impl<A> FirstPoll<'_, A> {
    /// The turn of a delivery that was not ready, which runs since `now` in `task`. `None` if it was given up meanwhile.
    pub(crate) fn stay(
        mut self,
        flights: &Arc<Flights<A>>,
        now: Instant,
        task: Waker,
    ) -> Option<Turn<A>> {
        let mut state = lock(&flights.state);
        if flights.word.load(Ordering::Acquire) & GIVEN_UP != 0 {
            drop(state);
            drop(task);
            return None;
        }
        // The turn takes the count over.
        self.counted = false;
        let (at, number) = state.add(Stage::Begun(now));
        if let Some(entry) = &mut state.turns[at] {
            entry.task = Some(task);
        }
        drop(state);
        Some(Turn {
            flights: Arc::clone(flights),
            at,
            number,
            begun: true,
            known: true,
            over: false,
        })
    }
}

impl<A> Drop for FirstPoll<'_, A> {
    fn drop(&mut self) {
        if self.counted {
            self.flights.leave(|| lock(&self.flights.state));
        }
    }
}

impl<A> Turn<A> {
    /// Whether it is there already.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Who awaits the delivery is told when it ends, or is given up.
    pub(crate) fn await_with(&self, who: Arc<A>) {
        if let Some(entry) = &mut lock(&self.flights.state).turns[self.at] {
            entry.awaiting = Some(who);
        }
    }

    /// Whether the delivery has been reported as abandoned.
    pub(crate) fn is_given_up(&self) -> bool {
        lock(&self.flights.state).given_up >= self.number
    }

    /// Has `task` woken when the delivery is given up: it has begun and goes on. Says so if it was given up before.
    pub(crate) fn goes_on_in(&mut self, task: &Waker) -> Say {
        if self.known {
            return Say::Go;
        }
        let mut task = Some(task.clone());
        let mut state = lock(&self.flights.state);
        let said = if state.given_up >= self.number {
            Say::GivenUp
        } else {
            if let Some(entry) = &mut state.turns[self.at] {
                std::mem::swap(&mut entry.task, &mut task);
            }
            self.known = true;
            Say::Go
        };
        drop(state);
        drop(task);
        said
    }

    /// Waits for the turn.
    pub(crate) fn poll(
        &mut self,
        now: impl FnOnce() -> Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Say> {
        let latest = self.flights.policy.overlap == Overlap::Latest;
        // Wakers are code of an executor's, which may end other deliveries: not under the lock.
        let mut waker = (!self.begun || latest).then(|| cx.waker().clone());
        // A runtime's clock is code of the user's, and not read under the lock.
        let now = (!self.begun).then(now);
        let mut state = lock(&self.flights.state);
        let task = (state.turns[self.at].as_ref()).and_then(|entry| entry.task.as_ref());
        self.known = task.is_some_and(|task| task.will_wake(cx.waker()));
        let polled = if state.given_up >= self.number {
            Poll::Ready(Say::GivenUp)
        } else if state.newest > self.number {
            Poll::Ready(Say::Superseded)
        } else if self.begun {
            Poll::Ready(Say::Go)
        } else if let Some(slot) = state.waker(self.at) {
            std::mem::swap(slot, &mut waker);
            Poll::Pending
        } else {
            if let (Some(entry), Some(now)) = (&mut state.turns[self.at], now) {
                entry.stage = Stage::Begun(now);
            }
            self.begun = true;
            Poll::Ready(Say::Go)
        };
        if polled == Poll::Ready(Say::Go) && latest {
            std::mem::swap(&mut state.watcher, &mut waker);
        }
        drop(state);
        drop(waker);
        polled
    }

    /// Gives the turn back; who awaits the delivery, if nobody told him yet.
    pub(crate) fn end(mut self) -> Option<Arc<A>> {
        self.give_back()?.awaiting
    }

    fn give_back(&mut self) -> Option<Entry<A>> {
        if self.over {
            return None;
        }
        self.over = true;
        let mut state = lock(&self.flights.state);
        let entry = state.remove(self.at)?;
        if let Stage::Begun(_) = entry.stage {
            self.flights.leave(|| state);
        } else if let Some(at) = state.waiting.iter().position(|other| *other == self.at) {
            state.waiting.remove(at);
            self.flights.hand_on(state);
        }
        Some(entry)
    }
}

impl<A> Drop for Turn<A> {
    fn drop(&mut self) {
        // The waker in it is code of an executor's, and not dropped under the lock.
        drop(self.give_back());
    }
}
