//! The deliveries of one async listener that run at the same time, and those that wait for their turn.

// The models include this file by its path.
#[path = "flights/turn.rs"]
mod turn;

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use crate::listener::policy::{Overlap, Policy};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, lock, wake};

/// In [`Flights::word`] while somebody waits.
const WAITING: usize = 1;
/// In [`Flights::word`] once everything was given up.
const GIVEN_UP: usize = 2;
/// Added to [`Flights::word`] for each delivery that runs.
const ONE: usize = 4;

/// One async listener's deliveries on one bus. `A` is told the end of a delivery that is awaited.
pub(crate) struct Flights<A> {
    policy: Policy,
    /// How many run, those in their first poll included, beside two flags.
    word: AtomicUsize,
    state: Mutex<State<A>>,
}

struct State<A> {
    next: u64,
    /// Each turn has its place here, which a later one uses again.
    turns: Vec<Option<Entry<A>>>,
    unused: Vec<usize>,
    /// How many of the turns have begun.
    begun: usize,
    /// Places, in the order of their arrival.
    waiting: VecDeque<usize>,
    /// Who runs while the newest one waits, so that it can be told to end.
    watcher: Option<Waker>,
    /// Those below have to end, under [`Overlap::Latest`].
    newest: u64,
    /// Those up to here were given up when the bus was shut down.
    given_up: u64,
}

struct Entry<A> {
    stage: Stage,
    /// Who awaits the delivery.
    awaiting: Option<Arc<A>>,
    /// Polls it while it runs.
    task: Option<Waker>,
}

enum Stage {
    /// Since then.
    Begun(Instant),
    Waits(Option<Waker>),
}

/// What was under way when the bus was shut down.
pub(crate) struct GivenUp<A> {
    /// Since when, the oldest first.
    pub(crate) running: Vec<Instant>,
    /// How many were in their first poll, since before the shutdown began.
    pub(crate) beginning: usize,
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

impl<A> Default for GivenUp<A> {
    fn default() -> Self {
        Self {
            running: Vec::new(),
            beginning: 0,
            waiting: 0,
            awaited: Vec::new(),
        }
    }
}

impl<A> State<A> {
    fn add(&mut self, stage: Stage) -> (usize, u64) {
        self.next += 1;
        self.begun += usize::from(matches!(stage, Stage::Begun(_)));
        let entry = Some(Entry {
            stage,
            awaiting: None,
            task: None,
        });
        let at = if let Some(at) = self.unused.pop() {
            self.turns[at] = entry;
            at
        } else {
            self.turns.push(entry);
            self.turns.len() - 1
        };
        (at, self.next)
    }

    fn remove(&mut self, at: usize) -> Option<Entry<A>> {
        let entry = self.turns[at].take();
        self.unused.push(at);
        if let Some(Stage::Begun(_)) = entry.as_ref().map(|entry| &entry.stage) {
            self.begun -= 1;
        }
        entry
    }

    /// Since when each delivery runs, the oldest first.
    fn running(&self) -> Vec<Instant> {
        let since = |entry: &Entry<A>| match entry.stage {
            Stage::Begun(since) => Some(since),
            Stage::Waits(_) => None,
        };
        let mut running: Vec<_> = self.turns.iter().flatten().filter_map(since).collect();
        running.sort();
        running
    }

    /// The waker of one that waits.
    fn waker(&mut self, at: usize) -> Option<&mut Option<Waker>> {
        match self.turns[at].as_mut().map(|entry| &mut entry.stage) {
            Some(Stage::Waits(waker)) => Some(waker),
            _ => None,
        }
    }

    fn take_waker(&mut self, at: usize) -> Option<Waker> {
        self.waker(at).and_then(Option::take)
    }
}

impl<A> Flights<A> {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            word: AtomicUsize::new(0),
            state: Mutex::new(State {
                next: 0,
                turns: Vec::new(),
                unused: Vec::new(),
                begun: 0,
                waiting: VecDeque::new(),
                watcher: None,
                newest: 0,
                given_up: 0,
            }),
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many may run at once.
    fn room(&self) -> usize {
        match self.policy.overlap {
            Overlap::Parallel => self.policy.limit,
            Overlap::Serial | Overlap::Latest | Overlap::Drop => 1,
        }
    }

    /// How many are in their first poll and have no turn. For who holds the lock.
    fn beginning(state: &State<A>, word: usize) -> usize {
        (word / ONE).saturating_sub(state.begun)
    }

    /// Counts one more that runs, if there is room.
    fn enter(&self) -> bool {
        let room = self.room();
        let more = |word: usize| (word / ONE < room).then_some(word + ONE);
        let order = Ordering::AcqRel;
        (self.word.fetch_update(order, Ordering::Acquire, more)).is_ok()
    }

    /// Counts one more that runs, or notes that somebody waits: who leaves then looks for him.
    fn enter_or_wait(&self) -> bool {
        let mut entered = false;
        let room = self.room();
        let order = Ordering::AcqRel;
        let _ = (self.word).fetch_update(order, Ordering::Acquire, |word| {
            entered = word / ONE < room;
            Some(if entered { word + ONE } else { word | WAITING })
        });
        entered
    }

    /// A place for the first poll of a delivery that may begin at once: most deliveries end in it, and need no turn. `None` where the policy
    /// asks for more, or somebody has to wait.
    pub(crate) fn first_poll(&self) -> Option<FirstPoll<'_, A>> {
        if self.policy.overlap != Overlap::Parallel || self.policy.timeout.is_some() {
            return None;
        }
        let limit = self.policy.limit;
        let more = |word: usize| {
            let free = word & (WAITING | GIVEN_UP) == 0 && word / ONE < limit;
            free.then_some(word + ONE)
        };
        let entered = (self.word).fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        entered.ok().map(|_| FirstPoll {
            flights: self,
            counted: true,
        })
    }

    /// Takes one off those that run, and gives its place to who waits.
    fn leave<'a>(&'a self, state: impl FnOnce() -> MutexGuard<'a, State<A>>) {
        let before = self.word.fetch_sub(ONE, Ordering::AcqRel);
        if before & WAITING != 0 {
            self.hand_on(state());
        }
    }

    /// Lets those begin that wait and may.
    fn hand_on<'a>(&'a self, mut state: MutexGuard<'a, State<A>>) {
        let mut begun = Vec::new();
        while !state.waiting.is_empty() && self.enter() {
            let Some(at) = state.waiting.pop_front() else {
                break;
            };
            begun.extend(state.take_waker(at));
            if let Some(entry) = &mut state.turns[at] {
                // Its first poll says since when.
                entry.stage = Stage::Begun(Instant::now());
                state.begun += 1;
            }
        }
        if state.waiting.is_empty() {
            self.word.fetch_and(!WAITING, Ordering::AcqRel);
        }
        drop(state);
        wake(begun);
    }

    /// Since when each delivery runs, the oldest first, and how many wait. Who is in his first poll runs since `now`.
    pub(crate) fn under_way(&self, now: Instant) -> (Vec<Instant>, usize) {
        let state = lock(&self.state);
        let mut running = state.running();
        let beginning = Self::beginning(&state, self.word.load(Ordering::Acquire));
        running.extend(std::iter::repeat_n(now, beginning));
        (running, state.waiting.len())
    }

    /// Gives up all that is under way.
    pub(crate) fn give_up(&self) -> GivenUp<A> {
        let mut state = lock(&self.state);
        state.given_up = state.next;
        let word = self.word.fetch_or(GIVEN_UP, Ordering::AcqRel);
        let beginning = Self::beginning(&state, word);
        let running = state.running();
        let waiting = std::mem::take(&mut state.waiting);
        self.word.fetch_and(!WAITING, Ordering::AcqRel);
        let mut wakers: Vec<_> = (waiting.iter())
            .filter_map(|at| state.take_waker(*at))
            .collect();
        let mut awaited = Vec::new();
        for entry in state.turns.iter_mut().flatten() {
            awaited.extend(entry.awaiting.take());
            wakers.extend(entry.task.take());
        }
        drop(state);
        // Those that run end at their next poll, which nobody else might make.
        wake(wakers);
        GivenUp {
            running,
            beginning,
            waiting: waiting.len(),
            awaited,
        }
    }

    /// Asks for a delivery at `now`. `may_wait` is for one that somebody outside of every delivery awaits: it is never refused.
    pub(crate) fn admit(flights: &Arc<Self>, now: Instant, may_wait: bool) -> Admission<A> {
        let mut state = lock(&flights.state);
        let limit = flights.policy.limit;
        let nobody_waits = state.waiting.is_empty();
        let accepted = match flights.policy.overlap {
            Overlap::Parallel => may_wait,
            Overlap::Serial => may_wait || state.begun + state.waiting.len() < limit,
            Overlap::Latest => true,
            Overlap::Drop => false,
        };
        let begins = nobody_waits
            && if accepted {
                flights.enter_or_wait()
            } else {
                flights.enter()
            };
        if !begins && !accepted {
            return match flights.policy.overlap {
                Overlap::Drop => Admission::Skipped,
                _ => Admission::Overloaded,
            };
        }
        let (at, number) = state.add(if begins {
            Stage::Begun(now)
        } else {
            Stage::Waits(None)
        });
        let mut superseded = Vec::new();
        if flights.policy.overlap == Overlap::Latest {
            state.newest = number;
            superseded.extend(state.watcher.take());
            let waiting = std::mem::take(&mut state.waiting);
            superseded.extend((waiting.into_iter()).filter_map(|at| state.take_waker(at)));
        }
        if !begins {
            state.waiting.push_back(at);
        }
        drop(state);
        wake(superseded);
        Admission::Turn(Turn {
            flights: Arc::clone(flights),
            at,
            number,
            begun: begins,
            known: false,
            over: false,
        })
    }
}

/// A delivery in its first poll: it counts among those that run.
pub(crate) struct FirstPoll<'a, A> {
    flights: &'a Flights<A>,
    counted: bool,
}

/// A delivery's turn: waited for, then held until it is dropped.
pub(crate) struct Turn<A> {
    flights: Arc<Flights<A>>,
    at: usize,
    number: u64,
    begun: bool,
    /// Who gives up knows the task that polls it.
    known: bool,
    /// It was given back.
    over: bool,
}
