//! The deliveries of one async listener that run at the same time, and those that wait for their turn.

use std::collections::{HashMap, VecDeque};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::policy::{Overlap, Policy};
use crate::sync::{Arc, Mutex, lock};

/// One async listener's deliveries on one bus. `A` is told the end of a delivery that is awaited.
pub(crate) struct Flights<A> {
    policy: Policy,
    state: Mutex<State<A>>,
}

struct State<A> {
    next: u64,
    /// Since when, by number.
    running: HashMap<u64, Instant>,
    /// In the order of their arrival.
    waiting: VecDeque<(u64, Option<Waker>)>,
    /// Who runs while the newest one waits, so that it can be told to end.
    watcher: Option<Waker>,
    /// Those below have to end, under [`Overlap::Latest`].
    newest: u64,
    /// Those up to here were given up when the bus was shut down.
    given_up: u64,
    /// Who awaits a delivery, by its number.
    awaited: HashMap<u64, Arc<A>>,
}

/// What was under way when the bus was shut down.
pub(crate) struct GivenUp<A> {
    /// Since when, the oldest first.
    pub(crate) running: Vec<Instant>,
    pub(crate) waiting: usize,
    /// Who awaited some of it.
    pub(crate) awaited: Vec<Arc<A>>,
}

/// What a delivery's turn says when it is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Say {
    Go,
    /// A newer delivery takes its place.
    Superseded,
    /// It has been reported as abandoned.
    GivenUp,
}

/// Whether a delivery may begin.
pub(crate) enum Admission<A> {
    Turn(Turn<A>),
    /// Another one runs, and the listener wants no other beside it.
    Skipped,
    /// As many run or wait as may.
    Overloaded,
}

impl<A> Flights<A> {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            state: Mutex::new(State {
                next: 0,
                running: HashMap::new(),
                waiting: VecDeque::new(),
                watcher: None,
                newest: 0,
                given_up: 0,
                awaited: HashMap::new(),
            }),
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Since when each delivery runs, the oldest first, and how many wait.
    pub(crate) fn under_way(&self) -> (Vec<Instant>, usize) {
        let state = lock(&self.state);
        let mut running: Vec<_> = state.running.values().copied().collect();
        let waiting = state.waiting.len();
        drop(state);
        running.sort();
        (running, waiting)
    }

    /// Gives up all that is under way.
    pub(crate) fn give_up(&self) -> GivenUp<A> {
        let mut state = lock(&self.state);
        state.given_up = state.next;
        let mut running: Vec<_> = state.running.values().copied().collect();
        let waiting = std::mem::take(&mut state.waiting);
        let awaited = std::mem::take(&mut state.awaited);
        drop(state);
        running.sort();
        let given_up = GivenUp {
            running,
            waiting: waiting.len(),
            awaited: awaited.into_values().collect(),
        };
        let wakers = waiting.into_iter().filter_map(|(_, waker)| waker);
        wakers.for_each(Waker::wake);
        given_up
    }

    /// Asks for a delivery at `now`. `may_wait` is for one that somebody outside of every delivery awaits: it is never refused.
    pub(crate) fn admit(flights: &Arc<Self>, now: Instant, may_wait: bool) -> Admission<A> {
        let mut state = lock(&flights.state);
        let limit = flights.policy.limit;
        let (running, waiting) = (state.running.len(), state.waiting.len());
        let (begins, accepted) = match flights.policy.overlap {
            Overlap::Parallel => (running < limit && waiting == 0, may_wait),
            Overlap::Serial => (
                running + waiting == 0,
                may_wait || running + waiting < limit,
            ),
            Overlap::Latest => (running + waiting == 0, true),
            Overlap::Drop if running > 0 => return Admission::Skipped,
            Overlap::Drop => (true, true),
        };
        if !begins && !accepted {
            return Admission::Overloaded;
        }
        state.next += 1;
        let number = state.next;
        let mut superseded = Vec::new();
        if flights.policy.overlap == Overlap::Latest {
            state.newest = number;
            superseded.extend(state.watcher.take());
            superseded.extend(state.waiting.drain(..).filter_map(|(_, waker)| waker));
        }
        if begins {
            state.running.insert(number, now);
        } else {
            state.waiting.push_back((number, None));
        }
        drop(state);
        superseded.into_iter().for_each(Waker::wake);
        Admission::Turn(Turn {
            flights: Arc::clone(flights),
            number,
            begun: begins,
        })
    }
}

/// A delivery's turn: waited for, then held until it is dropped.
pub(crate) struct Turn<A> {
    flights: Arc<Flights<A>>,
    number: u64,
    begun: bool,
}

impl<A> Turn<A> {
    /// Whether it is there already.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Who awaits the delivery is told when it ends, or is given up.
    pub(crate) fn await_with(&self, who: Arc<A>) {
        lock(&self.flights.state).awaited.insert(self.number, who);
    }

    /// Who awaits the delivery, if nobody told him yet.
    pub(crate) fn take_awaiting(&self) -> Option<Arc<A>> {
        lock(&self.flights.state).awaited.remove(&self.number)
    }

    /// Whether the delivery has been reported as abandoned.
    pub(crate) fn is_given_up(&self) -> bool {
        lock(&self.flights.state).given_up >= self.number
    }

    /// Waits for the turn.
    pub(crate) fn poll(
        &mut self,
        now: impl FnOnce() -> Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Say> {
        let waker = cx.waker().clone();
        let mut old = None;
        // A runtime's clock is code of the user's, and not read under the lock.
        let now = (!self.begun).then(now);
        let mut state = lock(&self.flights.state);
        let polled = if state.given_up >= self.number {
            Poll::Ready(Say::GivenUp)
        } else if state.newest > self.number {
            Poll::Ready(Say::Superseded)
        } else if self.begun {
            Poll::Ready(Say::Go)
        } else if let Some(since) = state.running.get_mut(&self.number) {
            *since = now.unwrap_or(*since);
            self.begun = true;
            Poll::Ready(Say::Go)
        } else {
            let number = self.number;
            let mut waiting = state.waiting.iter_mut();
            if let Some((_, slot)) = waiting.find(|(other, _)| *other == number) {
                old = slot.replace(waker.clone());
            }
            Poll::Pending
        };
        if polled == Poll::Ready(Say::Go) && self.flights.policy.overlap == Overlap::Latest {
            old = state.watcher.replace(waker.clone());
        }
        drop(state);
        // Wakers are code of an executor's, which may end other deliveries.
        drop((old, waker));
        polled
    }
}

impl<A> Drop for Turn<A> {
    fn drop(&mut self) {
        let mut gone = Vec::new();
        let mut state = lock(&self.flights.state);
        if state.running.remove(&self.number).is_none() {
            let number = self.number;
            if let Some(at) = state.waiting.iter().position(|(other, _)| *other == number) {
                gone.extend(state.waiting.remove(at).and_then(|(_, waker)| waker));
            }
        }
        let room = match self.flights.policy.overlap {
            Overlap::Parallel => self.flights.policy.limit,
            Overlap::Serial | Overlap::Latest | Overlap::Drop => 1,
        };
        while state.running.len() < room {
            let Some((number, waker)) = state.waiting.pop_front() else {
                break;
            };
            // Its first poll says since when.
            state.running.insert(number, Instant::now());
            gone.extend(waker);
        }
        drop(state);
        gone.into_iter().for_each(Waker::wake);
    }
}
