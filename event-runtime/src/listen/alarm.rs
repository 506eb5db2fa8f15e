//! Who waits for the times of timed listeners: one task for each bus that has a runtime, one thread of the process for all the others.

mod task;
mod thread;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::time::Instant;

use event_core::Runtime;
use event_core::private::Installer;

use crate::queue::quiet::forget_panic;
use crate::sync::lock;
use thread::Thread;

/// What has something to do at a certain time.
pub(super) trait Rings: Send + Sync + 'static {
    /// Its time has come.
    fn ring(&self, now: Instant);
    /// Nobody waits for its times any more.
    fn lost(&self, why: &str);
}

/// What waits for the end of a delivery.
pub(super) trait Ends: Send + Sync + 'static {
    fn ended(&self, key: u64);
}

/// Tells of the end of a delivery, whatever it was.
pub(super) struct End {
    pub(super) to: Weak<dyn Ends>,
    pub(super) key: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(to) = self.to.upgrade() {
            to.ended(self.key);
        }
    }
}

/// The times that are waited for, those of one time in the order of their listeners.
pub(super) struct Timers {
    state: Mutex<State>,
    waits: Waits,
}

enum Waits {
    Task(Arc<dyn Runtime>),
    Thread(Thread),
}

#[derive(Default)]
struct State {
    rings: BTreeMap<(Instant, u64), Weak<dyn Rings>>,
    numbers: u64,
    /// Wakes the task, if there is one.
    waker: Option<Waker>,
    /// The task is there, or the thread: in which process.
    runs_in: Option<u32>,
    /// There will be no task again.
    lost: bool,
}

/// The place of one listener among the timers.
pub(super) struct Alarm {
    timers: Arc<Timers>,
    number: u64,
}

/// What is left to do without locks.
#[must_use = "nobody may be waiting for the time"]
pub(super) enum Call {
    Nothing,
    Wake(Option<Waker>),
    Start(Arc<Timers>),
}

impl Timers {
    fn new(waits: Waits) -> Self {
        Self {
            state: Mutex::default(),
            waits,
        }
    }

    /// Those of the listener's bus.
    pub(super) fn of(installer: &mut Installer<'_>) -> Arc<Self> {
        match installer.runtime() {
            Some(runtime) => installer.shared(|| Self::new(Waits::Task(runtime))),
            None => thread::timers(),
        }
    }

    /// A place behind all that there are.
    pub(super) fn alarm(self: Arc<Self>) -> Alarm {
        let mut state = lock(&self.state);
        state.numbers += 1;
        let number = state.numbers;
        drop(state);
        Alarm {
            timers: self,
            number,
        }
    }

    /// Rings all whose time has come.
    fn fire(&self, now: Instant) {
        let mut state = lock(&self.state);
        let later = state.rings.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut state.rings, later);
        drop(state);
        for rings in due.into_values().filter_map(|rings| rings.upgrade()) {
            // What rings runs nothing of the user's but the end of values, and those guard themselves.
            let rung = catch_unwind(AssertUnwindSafe(|| rings.ring(now)));
            if let Err(panic) = rung {
                forget_panic(panic);
            }
        }
    }

    /// Nobody waits any more.
    fn lose(&self, why: &str) {
        let mut state = lock(&self.state);
        state.lost = true;
        state.runs_in = None;
        let waker = state.waker.take();
        let rings = std::mem::take(&mut state.rings);
        drop(state);
        drop(waker);
        let rings = rings.into_values();
        for rings in rings.filter_map(|rings| rings.upgrade()) {
            rings.lost(why);
        }
    }
}

impl Alarm {
    /// Rings at `at`, and not at the time that was set before. For a caller that has its own state locked.
    ///
    /// # Errors
    ///
    /// If nobody waits for times any more.
    pub(super) fn set(
        &self,
        before: Option<Instant>,
        at: Option<Instant>,
        rings: &Weak<dyn Rings>,
    ) -> Result<Call, Lost> {
        if before == at {
            return Ok(Call::Nothing);
        }
        let mut state = lock(&self.timers.state);
        if let Some(before) = before {
            // A weak handle is not the last one of anything.
            state.rings.remove(&(before, self.number));
        }
        let Some(at) = at else {
            return Ok(Call::Nothing);
        };
        if state.lost {
            return Err(Lost);
        }
        let key = (at, self.number);
        let is_first = state.rings.keys().next().is_none_or(|first| key < *first);
        state.rings.insert(key, Weak::clone(rings));
        if state.runs_in != Some(std::process::id()) {
            state.runs_in = Some(std::process::id());
            return Ok(Call::Start(Arc::clone(&self.timers)));
        }
        if !is_first {
            return Ok(Call::Nothing);
        }
        if let Waits::Thread(thread) = &self.timers.waits {
            thread.call();
        }
        Ok(Call::Wake(state.waker.take()))
    }
}

/// Nobody waits for times any more.
#[derive(Debug)]
pub(super) struct Lost;

impl Call {
    pub(super) fn make(self) {
        match self {
            Call::Nothing | Call::Wake(None) => {}
            Call::Wake(Some(waker)) => waker.wake(),
            Call::Start(timers) => match &timers.waits {
                Waits::Task(runtime) => task::start(&timers, runtime),
                Waits::Thread(_) => thread::start(&timers),
            },
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let state = state.unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(waker) = state.waker.take() {
            // The task finds nothing left, and ends.
            waker.wake();
        }
    }
}
