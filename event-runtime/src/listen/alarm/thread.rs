//! The thread that waits for the times of all buses without a runtime: started when first needed.

use std::sync::{Arc, Condvar, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::{Timers, Waits};
use crate::sync::lock;

/// The thread ends after this time without anything to wait for.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Thread(Condvar);

impl Thread {
    /// The first time is another one now.
    pub(super) fn call(&self) {
        self.0.notify_one();
    }
}

pub(super) fn timers() -> Arc<Timers> {
    static TIMERS: OnceLock<Arc<Timers>> = OnceLock::new();
    let timers = TIMERS.get_or_init(|| Arc::new(Timers::new(Waits::Thread(Thread::default()))));
    Arc::clone(timers)
}

pub(super) fn start(timers: &Arc<Timers>) {
    let own = Arc::clone(timers);
    let thread = std::thread::Builder::new().name("tidings:times".to_owned());
    if let Err(error) = thread.spawn(move || run(&own)) {
        timers.lose(&format!("no thread waits for times: {error}"));
        // Another listener may have more luck.
        lock(&timers.state).lost = false;
    }
}

fn run(timers: &Timers) {
    let Waits::Thread(thread) = &timers.waits else {
        return;
    };
    loop {
        let now = Instant::now();
        timers.fire(now);
        let mut state = lock(&timers.state);
        let next = state.rings.keys().next().map(|(at, _)| *at);
        let wait = next.map_or(IDLE, |at| at.saturating_duration_since(Instant::now()));
        if wait.is_zero() {
            continue;
        }
        let waited = thread.0.wait_timeout(state, wait);
        let timeout;
        (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && next.is_none() && state.rings.is_empty() {
            state.runs_in = None;
            return;
        }
    }
}
