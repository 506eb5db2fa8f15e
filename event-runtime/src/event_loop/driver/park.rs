//! A thread that parks, on the real clock.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::{Driver, Next};
use crate::event_loop::shared::{Nanos, Shared};

/// The longest wait at a time; the rest is waited for after it.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(in crate::event_loop) struct Park;

pub(super) struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

impl Unpark {
    pub(super) fn waker() -> Waker {
        Waker::from(Arc::new(Self(thread::current())))
    }
}

impl Driver for Park {
    fn run(&self, shared: &Shared, turn: &mut dyn FnMut() -> Next) {
        let waker = Unpark::waker();
        loop {
            match turn() {
                Next::Again => {}
                Next::Done => return,
                Next::Wait(until) => wait(shared, &waker, until),
            }
        }
    }
}

/// Until a message comes, or the time; sometimes for less.
fn wait(shared: &Shared, waker: &Waker, until: Option<Nanos>) {
    if !shared.listen(waker) {
        return;
    }
    match until {
        None => thread::park(),
        Some(at) => {
            let left = shared.time(at).saturating_duration_since(Instant::now());
            if !left.is_zero() {
                thread::park_timeout(left.min(LONGEST));
            }
        }
    }
}
