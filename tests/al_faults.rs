//! What goes wrong around a loop: each fault is told to somebody, ends only what it must, and leaks nothing.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tidings::event_loop::{EventLoop, Fatal, JoinError, LoopError, Missed, PromiseError};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    fn take(&self) -> String {
        self.0.take().join(", ")
    }
}

fn told(lp: &EventLoop) -> Log {
    let log = Log::default();
    let inner = log.clone();
    lp.on_failure(move |failure| inner.add(format!("{}: {}", failure.item(), failure.message())));
    log
}

fn every_loop(test: impl Fn(EventLoop)) {
    test(EventLoop::virtual_time());
    test(EventLoop::new().unwrap());
    test(EventLoop::builder().without_io().build().unwrap());
}

/// Panics when it is dropped, unless the thread does so already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "boom");
    }
}

fn panics() {
    assert!(std::hint::black_box(false), "oh");
}

#[test]
fn al11_a_future_that_ended_in_the_turn_of_a_stop_does_not_stop_the_next_run() {
    every_loop(|lp| {
        let own = lp.clone();
        let ended = lp.run_until_complete(async move {
            own.stop();
            7
        });
        assert_eq!(ended.unwrap(), 7);
        two_turns_run(&lp);
    });
}

#[test]
fn al11_a_future_that_ended_in_the_turn_of_a_fatal_error_does_not_stop_the_next_run() {
    every_loop(|lp| {
        let own = lp.clone();
        let ended = lp.run_until_complete(async move {
            drop(own.call_soon(|_| Err::<(), _>(Fatal::new("late"))));
            own.next_turn().await;
        });
        // The future ends in the turn of the error, and its end comes after.
        assert!(matches!(ended, Err(LoopError::Fatal(_))), "{ended:?}");
        two_turns_run(&lp);
        let ended = lp.run_until_complete(async {
            drop(lp.call_soon(|_| Err::<(), _>(Fatal::new("after the end"))));
        });
        assert!(matches!(ended, Err(LoopError::Fatal(_))), "{ended:?}");
        two_turns_run(&lp);
    });
}

fn two_turns_run(lp: &EventLoop) {
    let reached = Rc::new(Cell::new(false));
    let inner = Rc::clone(&reached);
    lp.call_soon(move |lp| {
        lp.call_soon(move |lp| {
            inner.set(true);
            lp.stop();
        })
        .map(drop)
    })
    .unwrap();
    lp.run_forever().unwrap();
    assert!(reached.get(), "the run ended early");
}

#[test]
fn al13_a_loop_that_is_dropped_inside_its_own_run_ends_the_run() {
    every_loop(|lp| {
        let handle = lp.clone();
        let log = Log::default();
        let late = log.clone();
        handle.call_soon(move |_| drop(lp)).unwrap();
        handle
            .call_soon(move |_| late.add("after the close"))
            .unwrap();
        assert!(matches!(handle.run_forever(), Err(LoopError::Closed)));
        assert_eq!(log.take(), "");
        assert!(handle.is_closed() && !handle.is_running());
    });
    every_loop(|lp| {
        let handle = lp.clone();
        let kept = Rc::new(());
        let (held, bomb) = (Rc::clone(&kept), Bomb);
        lp.on_failure(|_| ());
        let mut task = handle
            .spawn(async move {
                drop(lp);
                pending::<()>().await;
                drop((held, bomb));
            })
            .unwrap();
        assert!(matches!(handle.run_forever(), Err(LoopError::Closed)));
        assert_eq!(task.take(), Some(Err(JoinError::Cancelled)));
        assert_eq!(Rc::strong_count(&kept), 1);
    });
    every_loop(|lp| {
        let handle = lp.clone();
        let ended = handle.run_until_complete(async move {
            drop(lp);
            7
        });
        assert_eq!(ended.unwrap(), 7);
        assert!(handle.is_closed());
    });
}

#[test]
fn al14_a_promise_of_a_closed_loop_ends_the_wait_in_another() {
    let (one, other) = (EventLoop::virtual_time(), EventLoop::virtual_time());
    let (promise, answer) = one.promise::<u32>();
    one.close().unwrap();
    let ended = other.run_until_complete(answer).unwrap();
    assert!(matches!(ended, Err(PromiseError::Dropped)));
    promise.resolve(1);
}

#[test]
fn al22_virtual_time_does_not_spin_before_a_time_that_it_never_reaches() {
    let lp = EventLoop::virtual_time();
    let never = lp.call_later(Duration::MAX, |_| ()).unwrap();
    lp.run_until_idle().unwrap();
    assert!(never.is_pending());
    assert_eq!(lp.elapsed(), Duration::ZERO);
    let remote = lp.remote();
    let thread = std::thread::spawn(move || remote.call_soon(|_| ()));
    assert_eq!(lp.turn(Duration::MAX).unwrap().ran, 1);
    thread.join().unwrap().unwrap();
}

#[test]
fn al27_a_panic_of_a_waker_is_told_and_the_loop_goes_on() {
    struct Broken;

    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            panics();
        }
    }

    every_loop(|lp| {
        let log = told(&lp);
        let waker = Waker::from(Arc::new(Broken));
        let mut cx = Context::from_waker(&waker);
        let mut sleep = pin!(lp.sleep(Duration::from_millis(1)));
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        let (promise, answer) = lp.promise();
        let mut answer = pin!(answer);
        assert!(answer.as_mut().poll(&mut cx).is_pending());
        let next = log.clone();
        answer.on_done(move |_, _| next.add("next"));
        promise.resolve(());
        let mut scope = pin!(lp.scope(async |scope| {
            drop(scope.spawn(async {}));
            pending::<()>().await;
        }));
        assert!(scope.as_mut().poll(&mut cx).is_pending());
        lp.run_until_idle().unwrap();
        assert_eq!(log.take(), "a waker: oh, next, a waker: oh");
    });
}

#[test]
fn al27_panics_of_what_items_captured_are_told_and_the_next_item_runs() {
    every_loop(|lp| {
        let log = told(&lp);
        let bomb = Bomb;
        lp.call_soon(move |_| drop(bomb)).unwrap();
        let (promise, answer) = lp.promise();
        let bomb = Bomb;
        answer.on_done(move |_, _| drop(bomb));
        promise.resolve(Bomb);
        let bomb = Bomb;
        lp.spawn(async move { drop(bomb) }).unwrap().detach();
        let taken_back = lp.call_soon({
            let bomb = Bomb;
            move |_| drop(bomb)
        });
        assert!(taken_back.unwrap().cancel());
        let next = log.clone();
        lp.call_soon(move |_| next.add("next")).unwrap();
        lp.run_until_idle().unwrap();
        assert_eq!(
            log.take(),
            "a callback: boom, a done-callback: boom, a task: boom, next"
        );
    });
}

#[test]
fn al27_a_task_whose_future_panics_when_it_is_dropped_is_told_and_ends() {
    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let bomb = Bomb;
    let mut task = lp
        .spawn_named("bomb", async move {
            pending::<()>().await;
            drop(bomb);
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel();
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "a task: boom");
    assert_eq!(task.take(), Some(Err(JoinError::Cancelled)));
}

#[test]
fn al08_a_panic_of_the_runs_own_future_leaves_a_loop_that_runs_again() {
    every_loop(|lp| {
        let run = || lp.run_until_complete(async { panics() });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert!(panicked.is_err());
        assert!(!lp.is_running());
        two_turns_run(&lp);
    });
}

#[test]
fn al13_a_loop_that_ends_with_everything_live_leaks_nothing() {
    for is_dropped in [false, true] {
        every_loop(|lp| {
            lp.on_failure(|_| ());
            let kept = Rc::new(());
            let held = || Rc::clone(&kept);
            let drops = |value: Rc<()>| move |_: &EventLoop| drop(value);
            let handle = lp.clone();
            lp.call_soon(drops(held())).unwrap();
            lp.call_later(SECOND, drops(held())).unwrap();
            let (own, value) = (handle.clone(), held());
            let periodic = move |_: &EventLoop| drop((own.clone(), Rc::clone(&value)));
            lp.call_every(SECOND, Missed::Skip, periodic).unwrap();
            let (promise, answer) = lp.promise::<()>();
            let (own, value) = (handle.clone(), held());
            answer.on_done(move |_, _| drop((own, value)));
            let (own, value) = (handle.clone(), held());
            let task = lp.spawn(async move {
                own.sleep(SECOND).await;
                let ended = answer.await;
                drop((value, ended, own));
            });
            let value = held();
            let waits = lp.spawn(async move {
                let ended = task.unwrap().await;
                drop((promise, value, ended));
            });
            let value = held();
            let own = handle.clone();
            let scope = lp.spawn(async move {
                let scope = own.scope(async |scope| {
                    drop(scope.spawn(async move {
                        pending::<()>().await;
                        drop(value);
                    }));
                    pending::<()>().await;
                });
                scope.await
            });
            let value = held();
            lp.on_failure(move |_| drop(Rc::clone(&value)));
            lp.turn(Duration::ZERO).unwrap();
            lp.call_soon(drops(held())).unwrap();
            lp.remote().call_soon(|_| ()).unwrap();
            if is_dropped {
                drop(lp);
            } else {
                let left = lp.close().unwrap();
                assert_eq!((left.tasks, left.callbacks), (4, 2), "{left:?}");
                drop(lp);
            }
            assert_eq!(Rc::strong_count(&kept), 1);
            drop((waits, scope));
            assert!(handle.is_closed());
        });
    }
}

#[test]
fn a_periodic_callback_that_was_put_off_counts_from_there() {
    for missed in [Missed::Skip, Missed::Burst, Missed::Delay] {
        let lp = EventLoop::virtual_time();
        let times = Rc::new(RefCell::new(Vec::new()));
        let inner = Rc::clone(&times);
        let every = lp
            .call_every(SECOND * 10, missed, move |lp| {
                inner.borrow_mut().push(lp.elapsed().as_secs());
            })
            .unwrap();
        assert!(every.reset(SECOND * 25));
        lp.run_for(SECOND * 46).unwrap();
        assert_eq!(*times.borrow(), [25, 35, 45], "{missed:?}");
    }
}

#[test]
fn al16_after_a_jump_of_the_clock_timers_come_in_the_order_of_their_times() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    for millis in [3, 1, 2] {
        let log = log.clone();
        lp.call_later(Duration::from_millis(millis), move |_| {
            log.add(millis.to_string());
        })
        .unwrap();
    }
    let ticks = log.clone();
    let period = Duration::from_micros(2500);
    let every = lp.call_every(period, Missed::Skip, move |_| ticks.add("tick"));
    lp.call_soon(|lp| {
        while lp.elapsed() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
    })
    .unwrap();
    assert_eq!(lp.turn(Duration::ZERO).unwrap().ran, 1);
    assert_eq!(lp.turn(Duration::ZERO).unwrap().ran, 4);
    assert_eq!(log.take(), "1, 2, tick, 3");
    assert!(every.unwrap().is_pending());
}

#[test]
fn a_handle_of_another_loop_takes_back_only_its_own() {
    let (one, other) = (EventLoop::virtual_time(), EventLoop::virtual_time());
    let ran = Rc::new(Cell::new(0));
    let counts = |ran: &Rc<Cell<u32>>| {
        let ran = Rc::clone(ran);
        move |_: &EventLoop| ran.set(ran.get() + 1)
    };
    // Both have the first key of their loop.
    let handle = one.call_soon(counts(&ran)).unwrap();
    other.call_soon(counts(&ran)).unwrap();
    assert!(handle.cancel());
    one.run_until_idle().unwrap();
    other.run_until_idle().unwrap();
    assert_eq!(ran.get(), 1);
}

#[test]
fn a_handle_of_what_ran_means_nothing_new() {
    let lp = EventLoop::virtual_time();
    let old = lp.call_soon(|_| ()).unwrap();
    lp.run_until_idle().unwrap();
    let new = lp.call_later(SECOND, |_| ()).unwrap();
    assert!(!old.cancel() && !old.reset(SECOND) && new.is_pending());
}

#[test]
fn al31_wakes_from_a_thread_during_and_after_the_close_are_harmless() {
    for _ in 0..100 {
        let lp = EventLoop::builder().without_io().build().unwrap();
        let remote = lp.remote();
        let (send, receive) = futures::channel::oneshot::channel::<()>();
        let task = lp.spawn(receive).unwrap();
        lp.turn(Duration::ZERO).unwrap();
        let thread = std::thread::spawn(move || {
            // Whether the task takes it or was dropped before, both are fine.
            let _ = send.send(());
            while remote.call_soon(|_| ()).is_ok() {}
            remote.stop();
            remote.is_closed()
        });
        lp.turn(Duration::ZERO).unwrap();
        lp.close().unwrap();
        assert!(task.is_finished());
        assert!(thread.join().unwrap());
    }
}
