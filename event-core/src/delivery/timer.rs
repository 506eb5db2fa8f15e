//! Timers for buses whose runtime has none of its own: one thread for the whole process, started when first needed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::sync::{lock, wake};

/// The thread ends after this time without timers.
const IDLE: Duration = Duration::from_secs(10);

/// A future that ends at `at`, never before.
pub(crate) fn sleep_until(at: Instant) -> Sleep {
    static TIMERS: OnceLock<Arc<Timers>> = OnceLock::new();
    Sleep {
        at,
        number: None,
        timers: Arc::clone(TIMERS.get_or_init(Arc::default)),
    }
}

#[derive(Default)]
struct Timers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By time, and then by the order in which they were set.
    waiting: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    /// The process in which the thread runs: after a fork there is none.
    runs_in: Option<u32>,
}

pub(crate) struct Sleep {
    at: Instant,
    number: Option<u64>,
    timers: Arc<Timers>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let timers = Arc::clone(&self.timers);
        let mut state = lock(&timers.state);
        let number = *self.number.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        let key = (self.at, number);
        let first = state.waiting.keys().next().is_none_or(|next| key < *next);
        let before = state.waiting.insert(key, waker);
        let runs = state.runs_in == Some(process::id()) || timers.start(&mut state);
        drop(state);
        // Wakers are code of an executor's.
        drop(before);
        if !runs {
            // Without a thread the task asks the clock itself; that is costly, but the time is kept.
            std::thread::yield_now();
            cx.waker().wake_by_ref();
        } else if first {
            timers.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = lock(&self.timers.state).waiting.remove(&(self.at, number));
            drop(waker);
        }
    }
}

impl Timers {
    fn start(self: &Arc<Self>, state: &mut State) -> bool {
        let timers = Arc::clone(self);
        let thread = std::thread::Builder::new().name("tidings:timers".to_owned());
        let started = thread.spawn(move || timers.run()).is_ok();
        state.runs_in = started.then(process::id);
        started
    }

    fn run(&self) {
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            let later = state.waiting.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut state.waiting, later);
            if !due.is_empty() {
                drop(state);
                wake(due.into_values());
                state = lock(&self.state);
                continue;
            }
            let next = state.waiting.keys().next().map(|(at, _)| *at);
            let wait = next.map_or(IDLE, |at| at.saturating_duration_since(now));
            let (after, timeout) = self.wait(state, wait);
            state = after;
            if timeout && next.is_none() && state.waiting.is_empty() {
                state.runs_in = None;
                return;
            }
        }
    }

    fn wait<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        wait: Duration,
    ) -> (MutexGuard<'a, State>, bool) {
        let (state, result) = match self.changed.wait_timeout(state, wait) {
            Ok(waited) => waited,
            Err(poisoned) => poisoned.into_inner(),
        };
        (state, result.timed_out())
    }
}
