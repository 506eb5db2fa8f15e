//! The task that waits for the times of one bus.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use event_core::private::sleep_steadily;
use event_core::{Runtime, Task};

use super::{Timers, Waits};
use crate::queue::quiet::forget_panic;
use crate::sync::lock;

/// The place of the task. Dropped before its bus, nobody waits any more.
struct Place(Weak<Timers>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(timers) = self.0.upgrade() {
            timers.lose(
                "the runtime has ended, and nobody waits for times any more: shut the bus down before its runtime",
            );
        }
    }
}

pub(super) fn start(timers: &Arc<Timers>, runtime: &Arc<dyn Runtime>) {
    let place = Place(Arc::downgrade(timers));
    let mut sleep: Option<(Instant, Task)> = None;
    let task = Box::pin(async move {
        // The whole of it, so that it is dropped with the task.
        let place = place;
        poll_fn(|cx| match place.0.upgrade() {
            Some(timers) => poll(&timers, &mut sleep, cx),
            None => Poll::Ready(()),
        })
        .await;
    });
    let spawned = catch_unwind(AssertUnwindSafe(|| runtime.spawn(task)));
    if let Err(panic) = spawned {
        forget_panic(panic);
    }
}

fn poll(timers: &Timers, sleep: &mut Option<(Instant, Task)>, cx: &mut Context<'_>) -> Poll<()> {
    let Waits::Task(runtime) = &timers.waits else {
        return Poll::Ready(());
    };
    loop {
        timers.fire(runtime.now());
        let waker = cx.waker().clone();
        let mut state = lock(&timers.state);
        let before = state.waker.replace(waker);
        let next = state.rings.keys().next().map(|(at, _)| *at);
        drop(state);
        // Wakers are code of an executor's.
        drop(before);
        let Some(next) = next else {
            *sleep = None;
            return Poll::Pending;
        };
        if sleep.as_ref().is_none_or(|(at, _)| *at != next) {
            *sleep = Some((next, sleep_steadily(runtime, next)));
        }
        let over = sleep
            .as_mut()
            .is_none_or(|(_, sleep)| sleep.as_mut().poll(cx).is_ready());
        if !over {
            return Poll::Pending;
        }
        *sleep = None;
    }
}
