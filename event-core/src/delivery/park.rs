//! A future on a thread that has nothing else to do.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future on this thread, at most for `time`; whether it ended.
pub fn park(mut future: Pin<&mut dyn Future<Output = ()>>, time: Option<Duration>) -> bool {
    // A point in time that no clock reaches is none.
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if future.as_mut().poll(&mut cx).is_ready() {
            return true;
        }
        match deadline {
            None => thread::park(),
            Some(at) => match at.checked_duration_since(Instant::now()) {
                None => return false,
                Some(left) => thread::park_timeout(left),
            },
        }
    }
}
