//! The calls of one listener behind a queue that run now, until its bus gives them up.

use std::time::Instant;

use crate::sync::{Mutex, lock};

/// Which calls of one queue run. A call begins under the lock under which the bus gives up, so that each delivery is either.
pub(crate) struct Runs(Mutex<State>);

struct State {
    given_up: bool,
    /// Deliveries that have begun, ever; a retry does not count.
    begun: u64,
    /// Deliveries that are to be tried again and are not yet.
    between: usize,
    /// By seat. A queue has few workers, and mostly one.
    running: Vec<Option<Call>>,
}

impl State {
    fn since(&self) -> Vec<Instant> {
        let calls = self.running.iter().flatten();
        let mut since: Vec<_> = calls
            .flat_map(|call| std::iter::repeat_n(call.since, call.deliveries))
            .collect();
        since.sort();
        since
    }
}

struct Call {
    since: Instant,
    deliveries: usize,
}

/// What had begun and not ended when the bus gave up.
#[derive(Default)]
pub(crate) struct Begun {
    pub(crate) ever: u64,
    pub(crate) between: usize,
    /// Since when each delivery runs, the oldest first.
    pub(crate) running: Vec<Instant>,
}

impl Runs {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            given_up: false,
            begun: 0,
            between: 0,
            running: Vec::new(),
        }))
    }

    /// Begins a call for that many deliveries; `again` if they were tried before. `None` if the bus has given up.
    pub(crate) fn begin(&self, now: Instant, deliveries: usize, again: bool) -> Option<Seat<'_>> {
        let mut state = lock(&self.0);
        if state.given_up {
            return None;
        }
        if again {
            state.between -= deliveries;
        } else {
            state.begun += deliveries as u64;
        }
        let call = Some(Call {
            since: now,
            deliveries,
        });
        let free = state.running.iter().position(Option::is_none);
        let at = free.unwrap_or(state.running.len());
        if free.is_some() {
            state.running[at] = call;
        } else {
            state.running.push(call);
        }
        drop(state);
        Some(Seat { runs: self, at })
    }

    /// From here on nothing begins. `None` the second time.
    pub(crate) fn give_up(&self) -> Option<Begun> {
        let mut state = lock(&self.0);
        if std::mem::replace(&mut state.given_up, true) {
            return None;
        }
        Some(Begun {
            ever: state.begun,
            between: state.between,
            running: state.since(),
        })
    }

    /// That many deliveries are not tried again after all.
    pub(crate) fn lose(&self, deliveries: usize) {
        lock(&self.0).between -= deliveries;
    }

    /// Since when each delivery runs, the oldest first.
    pub(crate) fn under_way(&self) -> Vec<Instant> {
        lock(&self.0).since()
    }
}

/// A call that runs, until this is dropped.
pub(crate) struct Seat<'a> {
    runs: &'a Runs,
    at: usize,
}

impl Seat<'_> {
    /// Whether the deliveries were reported as abandoned meanwhile.
    pub(crate) fn is_given_up(&self) -> bool {
        lock(&self.runs.0).given_up
    }

    /// Ends the call for now; the deliveries are tried again, unless they were given up.
    pub(crate) fn end_for_now(self) -> bool {
        let mut state = lock(&self.runs.0);
        if state.given_up {
            return false;
        }
        let call = state.running[self.at].take();
        state.between += call.map_or(0, |call| call.deliveries);
        drop(state);
        // The seat is free, and may be another's by now.
        std::mem::forget(self);
        true
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        lock(&self.runs.0).running[self.at] = None;
    }
}
