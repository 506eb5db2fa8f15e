//! The loop's tasks.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tidings::event_loop::{EventLoop, JoinError, JoinHandle};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    fn take(&self) -> String {
        self.0.take().join(" ")
    }
}

/// A task that waits until it is dropped, and says so then.
fn waits(lp: &EventLoop, log: &Log, name: &'static str) -> JoinHandle<()> {
    struct Says(Log, &'static str);

    impl Drop for Says {
        fn drop(&mut self) {
            self.0.add(self.1);
        }
    }

    let says = Says(log.clone(), name);
    lp.spawn(async move {
        let _says = says;
        pending::<()>().await;
    })
    .unwrap()
}

#[test]
fn at1_a_task_does_not_begin_inside_spawn() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let inner = log.clone();
    let task = lp.spawn(async move { inner.add("body") }).unwrap();
    log.add("after spawn");
    lp.run_until_complete(task).unwrap().unwrap();
    assert_eq!(log.take(), "after spawn body");
}

#[test]
fn at2_steps_and_callbacks_share_one_queue() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    for number in 0..10 {
        let log = log.clone();
        lp.spawn(async move { log.add(number.to_string()) })
            .unwrap()
            .detach();
    }
    let last = log.clone();
    lp.call_soon(move |_| last.add("callback")).unwrap();
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "0 1 2 3 4 5 6 7 8 9 callback");
}

#[test]
fn at4_the_outcome_is_what_the_task_returned_or_its_panic() {
    let lp = EventLoop::virtual_time();
    let value = lp.spawn(async { 7 }).unwrap();
    let error = lp.spawn(async { "x".parse::<u8>() }).unwrap();
    let panics = lp
        .spawn(async { assert!(std::hint::black_box(false), "oh") })
        .unwrap();
    assert_eq!(lp.run_until_complete(value).unwrap(), Ok(7));
    assert!(lp.run_until_complete(error).unwrap().unwrap().is_err());
    assert_eq!(
        lp.run_until_complete(panics).unwrap(),
        Err(JoinError::Panicked("oh".to_owned()))
    );
}

#[test]
fn at5_next_turn_and_a_sleep_of_zero_skip_exactly_one_turn() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    for name in ["a", "b"] {
        let (lp_, log) = (lp.clone(), log.clone());
        lp.spawn(async move {
            for step in 0..3 {
                log.add(format!("{name}{step}"));
                if step == 0 {
                    lp_.next_turn().await;
                } else {
                    lp_.sleep(Duration::ZERO).await;
                }
            }
        })
        .unwrap()
        .detach();
    }
    let mut turns = 0;
    while lp.task_count() > 0 {
        lp.turn(Duration::ZERO).unwrap();
        turns += 1;
    }
    assert_eq!((log.take().as_str(), turns), ("a0 b0 a1 b1 a2 b2", 4));
}

#[test]
fn at6_a_task_that_waits_for_itself_is_told() {
    let lp = EventLoop::virtual_time();
    let own: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
    let told = Rc::new(RefCell::new(None));
    let (handle, inner) = (Rc::clone(&own), Rc::clone(&told));
    let task = lp.spawn(async move {
        let own = handle.take().unwrap();
        *inner.borrow_mut() = Some(own.await);
    });
    *own.borrow_mut() = Some(task.unwrap());
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(Err(JoinError::SelfAwait)));
}

#[test]
fn at7_cancel_is_a_request_that_takes_effect_in_a_later_turn() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let task = waits(&lp, &log, "dropped");
    lp.turn(Duration::ZERO).unwrap();
    assert!(task.cancel());
    assert!(!task.is_finished());
    assert_eq!(log.take(), "");
    lp.turn(Duration::ZERO).unwrap();
    assert_eq!(log.take(), "dropped");
    assert!(task.is_finished() && !task.cancel());
    assert_eq!(
        lp.run_until_complete(task).unwrap(),
        Err(JoinError::Cancelled)
    );
}

#[test]
fn at8_a_task_cancelled_before_its_first_step_never_begins() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let inner = log.clone();
    let task = lp.spawn(async move { inner.add("body") }).unwrap();
    task.cancel();
    assert_eq!(
        lp.run_until_complete(task).unwrap(),
        Err(JoinError::Cancelled)
    );
    assert_eq!(log.take(), "");
}

#[test]
fn at9_a_cancel_reaches_the_task_that_is_waited_for() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let inner = waits(&lp, &log, "inner");
    let outer = lp.spawn(async move { drop(inner.await) }).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    outer.cancel();
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "inner");
    assert_eq!(lp.task_count(), 0);
}

#[test]
fn at10_a_task_that_listens_may_tidy_up_within_its_grace() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (handle, inner) = (lp.clone(), log.clone());
    let tidy = lp
        .spawn(async move {
            handle.cancelled().await;
            handle.sleep(SECOND * 4).await;
            inner.add("tidied");
            "own value"
        })
        .unwrap();
    let handle = lp.clone();
    let slow = lp
        .spawn(async move {
            handle.cancelled().await;
            handle.sleep(SECOND * 6).await;
            unreachable!("the grace is five seconds");
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    tidy.cancel();
    slow.cancel();
    assert_eq!(lp.run_until_complete(tidy).unwrap(), Ok("own value"));
    let slow: Result<(), JoinError> = lp.run_until_complete(slow).unwrap();
    assert_eq!(
        (slow, lp.elapsed()),
        (Err(JoinError::Cancelled), SECOND * 5)
    );
    assert_eq!(log.take(), "tidied");
}

#[test]
fn at10_an_abort_cannot_be_refused() {
    let lp = EventLoop::virtual_time();
    let handle = lp.clone();
    let task = lp
        .spawn(async move {
            handle.cancelled().await;
            pending::<()>().await;
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel();
    task.abort();
    assert_eq!(
        lp.run_until_complete(task).unwrap(),
        Err(JoinError::Cancelled)
    );
    assert_eq!(lp.elapsed(), Duration::ZERO);
}

#[test]
fn at11_a_task_that_cancels_itself_ends_at_its_next_await_or_with_its_value() {
    let lp = EventLoop::virtual_time();
    for waits in [true, false] {
        let own: Rc<RefCell<Option<JoinHandle<u32>>>> = Rc::default();
        let (inner, handle) = (Rc::clone(&own), lp.clone());
        let task = lp.spawn(async move {
            inner.borrow().as_ref().unwrap().cancel();
            if waits {
                handle.next_turn().await;
                unreachable!("it was cancelled");
            }
            7
        });
        *own.borrow_mut() = Some(task.unwrap());
        lp.run_until_idle().unwrap();
        let expected = if waits {
            Err(JoinError::Cancelled)
        } else {
            Ok(7)
        };
        assert_eq!(own.take().unwrap().take(), Some(expected));
    }
}

#[test]
fn at13_sleep_ends_in_time_and_leaves_no_timer_when_it_is_dropped() {
    let lp = EventLoop::virtual_time();
    lp.run_until_complete(lp.sleep(SECOND)).unwrap();
    assert_eq!(lp.elapsed(), SECOND);
    let handle = lp.clone();
    let task = lp
        .spawn(async move { handle.sleep(SECOND * 100).await })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    assert_eq!(lp.timer_count(), 1);
    task.cancel();
    lp.run_until_idle().unwrap();
    assert_eq!((lp.timer_count(), lp.elapsed()), (0, SECOND));
}

#[test]
fn at14_join_all_keeps_the_order_of_its_arguments_and_the_first_error_wins() {
    let lp = EventLoop::virtual_time();
    let work = |seconds: u32| {
        let sleep = lp.sleep(SECOND * seconds);
        async move {
            sleep.await;
            if seconds == 2 {
                Err(seconds)
            } else {
                Ok(seconds)
            }
        }
    };
    let all = lp
        .run_until_complete(join_all([3, 2, 1].map(work)))
        .unwrap();
    assert_eq!(all, [Ok(3), Err(2), Ok(1)]);
    let first = lp
        .run_until_complete(try_join_all([3, 2, 1].map(work)))
        .unwrap();
    assert_eq!((first, lp.elapsed()), (Err(2), SECOND * 5));
}

#[test]
fn at15_one_cancelled_task_does_not_cancel_who_waits_for_several() {
    let lp = EventLoop::virtual_time();
    let cancelled = lp.spawn(pending::<u32>()).unwrap();
    cancelled.cancel();
    let ended = lp.spawn(async { 1 }).unwrap();
    let both = lp.run_until_complete(join_all([cancelled, ended])).unwrap();
    assert_eq!(both, [Err(JoinError::Cancelled), Ok(1)]);
}

#[test]
fn at18_a_timeout_drops_what_is_late_and_a_result_that_came_in_time_wins() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let late = waits(&lp, &log, "late");
    assert!(
        lp.run_until_complete(lp.timeout(SECOND, late))
            .unwrap()
            .is_err()
    );
    lp.run_until_idle().unwrap();
    assert_eq!((log.take().as_str(), lp.elapsed()), ("late", SECOND));
    let tie = lp.timeout(SECOND, lp.sleep(SECOND));
    assert_eq!(lp.run_until_complete(tie).unwrap(), Ok(()));
    let done = lp.timeout(Duration::ZERO, async { 1 });
    assert_eq!(lp.run_until_complete(done).unwrap(), Ok(1));
    let never = lp.timeout(Duration::ZERO, pending::<()>());
    assert!(lp.run_until_complete(never).unwrap().is_err());
}

#[test]
fn at19_who_awaits_a_borrowed_handle_gives_up_waiting_and_nothing_else() {
    let lp = EventLoop::virtual_time();
    let handle = lp.clone();
    let mut inner = lp
        .spawn(async move {
            handle.sleep(SECOND * 2).await;
            "inner"
        })
        .unwrap();
    let timeout = lp.timeout(SECOND, &mut inner);
    assert!(lp.run_until_complete(timeout).unwrap().is_err());
    assert_eq!(lp.run_until_complete(inner).unwrap(), Ok("inner"));
}

#[test]
fn at20_another_thread_starts_a_task_whose_future_is_not_send() {
    let lp = EventLoop::new().unwrap();
    let remote = lp.remote();
    let thread = std::thread::spawn(move || {
        remote.spawn(|lp| {
            let lp = lp.clone();
            let local = Rc::new(Cell::new(0));
            async move {
                lp.next_turn().await;
                local.set(1);
                lp.stop();
            }
        })
    });
    lp.run_forever().unwrap();
    thread.join().unwrap().unwrap();
}

#[test]
fn at22_a_loop_that_is_dropped_with_tasks_gives_their_handles_an_end() {
    let lp = EventLoop::virtual_time();
    lp.on_failure(|_| ());
    let log = Log::default();
    let mut task = waits(&lp, &log, "dropped");
    drop(lp);
    assert_eq!(log.take(), "dropped");
    assert_eq!(task.take(), Some(Err(JoinError::Cancelled)));
}

#[test]
fn a_task_without_a_handle_has_its_panic_told_with_its_name_and_place() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let told = log.clone();
    lp.on_failure(move |failure| told.add(failure.to_string()));
    let task = lp.spawn_named("worker", async {
        assert!(std::hint::black_box(false), "oh");
    });
    task.unwrap().detach();
    lp.spawn(async { Err::<(), _>("no") }).unwrap().detach();
    lp.run_until_idle().unwrap();
    let told = log.take();
    assert!(
        told.contains("a task named `worker` (tests/at_tasks.rs:"),
        "{told}"
    );
    assert!(
        told.contains("panic: oh") && told.contains("error: no"),
        "{told}"
    );
}

#[test]
fn a_wake_from_another_thread_ends_the_wait_of_every_driver() {
    for lp in [
        EventLoop::virtual_time(),
        EventLoop::new().unwrap(),
        EventLoop::builder().without_io().build().unwrap(),
    ] {
        let (send, receive) = futures::channel::oneshot::channel();
        let thread = std::thread::spawn(move || send.send(7));
        assert_eq!(lp.run_until_complete(receive).unwrap(), Ok(7));
        thread.join().unwrap().unwrap();
    }
}

#[test]
fn al34_blocking_calls_run_elsewhere_and_virtual_time_waits_for_them() {
    for lp in [EventLoop::virtual_time(), EventLoop::new().unwrap()] {
        let home = std::thread::current().id();
        let early = lp.call_later(SECOND * 3600, |_| ()).unwrap();
        let call = lp
            .blocking(move || std::thread::current().id() != home)
            .unwrap();
        assert_eq!(lp.run_until_complete(call).unwrap(), Ok(true));
        assert!(early.is_pending() && lp.elapsed() < SECOND * 3600);
        let panics = lp
            .blocking(|| assert!(std::hint::black_box(false), "oh"))
            .unwrap();
        let panicked = Err(JoinError::Panicked("oh".to_owned()));
        assert_eq!(lp.run_until_complete(panics).unwrap(), panicked);
    }
}
