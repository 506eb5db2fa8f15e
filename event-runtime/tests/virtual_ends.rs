//! Who waits for a virtual runtime is told of every timer, and its tasks do not keep him for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use event_core::Runtime;
use event_runtime::VirtualRuntime;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn wait_for(turn: &AtomicUsize, value: usize) {
    while turn.load(Ordering::Acquire) != value {
        std::thread::yield_now();
    }
}

#[test]
fn a_timer_that_another_thread_sets_wakes_who_waits() {
    const ROUNDS: usize = 20_000;
    let time = VirtualRuntime::new();
    let (turn, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let elsewhere = time.clone();
        let (turn, done) = (&turn, &done);
        scope.spawn(move || {
            for round in 1..=ROUNDS {
                wait_for(turn, round);
                let at = elsewhere.now() + Duration::from_secs(1);
                let mut sleep = elsewhere.sleep_until(at);
                let mut cx = Context::from_waker(Waker::noop());
                assert!(sleep.as_mut().poll(&mut cx).is_pending());
                done.store(round, Ordering::Release);
                // It is unset when the round is over.
                wait_for(turn, usize::MAX - round);
                drop(sleep);
                done.store(usize::MAX - round, Ordering::Release);
            }
        });
        let mut lost = 0;
        for round in 1..=ROUNDS {
            let flag = Arc::new(Flag(AtomicBool::new(false)));
            let waker = Waker::from(Arc::clone(&flag));
            turn.store(round, Ordering::Release);
            for _ in 0..round % 512 {
                std::hint::spin_loop();
            }
            time.help(round, &mut Context::from_waker(&waker));
            wait_for(done, round);
            lost += usize::from(!flag.0.load(Ordering::SeqCst));
            turn.store(usize::MAX - round, Ordering::Release);
            wait_for(done, usize::MAX - round);
        }
        assert_eq!(lost, 0, "of {ROUNDS} timers");
    });
}

/// A runtime with a task that is always ready.
fn circling() -> VirtualRuntime {
    let time = VirtualRuntime::new();
    time.spawn(Box::pin(std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::Pending
    })));
    time
}

#[test]
fn a_task_that_is_always_ready_is_a_panic_of_who_waits_for_its_end() {
    let time = circling();
    let waits: [fn(&VirtualRuntime); 2] = [VirtualRuntime::run_until_stalled, |time| {
        time.advance(Duration::from_secs(1));
    }];
    for wait in waits {
        let caught = catch_unwind(AssertUnwindSafe(|| wait(&time)));
        let panic = caught.expect_err("there is no end");
        let message = panic.downcast_ref::<&str>().expect("a text");
        assert!(message.contains("keep each other ready"), "{message}");
    }
}

#[test]
fn a_task_that_is_always_ready_does_not_stop_the_clock_of_who_waits_for_a_time() {
    let time = circling();
    let second = Duration::from_secs(1);
    time.block_on(time.sleep_until(time.now() + second));
    assert_eq!(time.elapsed(), second);
    let ended = time.park(pin!(std::future::pending()), Some(second));
    assert!(!ended);
    assert_eq!(time.elapsed(), 2 * second);
    futures::executor::block_on(time.sleep_until(time.now() + second));
    assert_eq!(time.elapsed(), 3 * second);
}
