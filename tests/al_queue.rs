//! The loop's queue: what runs when, and how a run ends.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::{EventLoop, Fatal, JoinError, LoopError};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    fn take(&self) -> String {
        self.0.take().join(" ")
    }

    /// A callback that writes its name.
    fn writes(&self, text: &'static str) -> impl FnOnce(&EventLoop) + 'static {
        let log = self.clone();
        move |_| log.add(text)
    }
}

fn every_loop(test: impl Fn(&EventLoop)) {
    test(&EventLoop::virtual_time());
    test(&EventLoop::new().unwrap());
    test(&EventLoop::builder().without_io().build().unwrap());
    test(&EventLoop::builder().poll_every(16).build().unwrap());
}

#[test]
fn al01_call_soon_is_first_in_first_out_and_each_runs_once() {
    every_loop(|lp| {
        let log = Log::default();
        for name in ["a", "b", "c"] {
            lp.call_soon(log.writes(name)).unwrap();
        }
        lp.run_until_idle().unwrap();
        lp.run_until_idle().unwrap();
        assert_eq!(log.take(), "a b c");
    });
}

#[test]
fn al02_what_a_running_item_queues_waits_for_the_next_turn() {
    every_loop(|lp| {
        let log = Log::default();
        let inner = log.clone();
        lp.call_soon(move |lp| {
            inner.add("a");
            lp.call_soon(inner.writes("c")).map(drop)
        })
        .unwrap();
        lp.call_soon(log.writes("b")).unwrap();
        let turn = lp.turn(Duration::ZERO).unwrap();
        assert_eq!((turn.ran, turn.is_ready), (2, true));
        assert_eq!(log.take(), "a b");
        assert_eq!(lp.turn(Duration::ZERO).unwrap().ran, 1);
        assert_eq!(log.take(), "c");
    });
}

#[test]
fn al03_due_timers_come_after_what_was_ready() {
    every_loop(|lp| {
        let log = Log::default();
        lp.call_at(lp.time(), log.writes("timer")).unwrap();
        lp.call_soon(log.writes("ready")).unwrap();
        assert_eq!(lp.turn(Duration::ZERO).unwrap().ran, 2);
        assert_eq!(log.take(), "ready timer");
    });
}

#[test]
fn al04_a_turn_waits_only_when_nothing_is_ready() {
    let lp = EventLoop::virtual_time();
    lp.call_later(Duration::from_secs(5), |_| ()).unwrap();
    lp.call_soon(|_| ()).unwrap();
    assert_eq!(lp.turn(Duration::from_secs(60)).unwrap().ran, 1);
    assert_eq!(lp.elapsed(), Duration::ZERO);
    assert_eq!(lp.turn(Duration::from_secs(1)).unwrap().ran, 0);
    assert_eq!(lp.elapsed(), Duration::from_secs(1));
    assert_eq!(lp.turn(Duration::from_secs(60)).unwrap().ran, 1);
    assert_eq!(lp.elapsed(), Duration::from_secs(5));
}

#[test]
fn al05_stop_finishes_the_batch() {
    every_loop(|lp| {
        let log = Log::default();
        let inner = log.clone();
        lp.call_soon(move |lp| {
            lp.stop();
            lp.call_soon(inner.writes("later")).map(drop)
        })
        .unwrap();
        lp.call_soon(log.writes("same turn")).unwrap();
        lp.run_forever().unwrap();
        assert_eq!(log.take(), "same turn");
        lp.run_until_idle().unwrap();
        assert_eq!(log.take(), "later");
    });
}

#[test]
fn al06_stop_before_a_run_gives_exactly_one_turn_without_a_wait() {
    every_loop(|lp| {
        let log = Log::default();
        let inner = log.clone();
        lp.call_soon(move |lp| {
            inner.add("first");
            lp.call_soon(inner.writes("second")).map(drop)
        })
        .unwrap();
        lp.call_later(Duration::from_secs(3600), |_| ()).unwrap();
        lp.stop();
        lp.run_forever().unwrap();
        assert_eq!(log.take(), "first");
    });
}

#[test]
fn al07_the_stop_is_over_with_the_run_and_nothing_runs_twice() {
    every_loop(|lp| {
        let log = Log::default();
        lp.call_soon(log.writes("once")).unwrap();
        lp.stop();
        lp.run_forever().unwrap();
        lp.call_soon(log.writes("again")).unwrap();
        lp.run_until_idle().unwrap();
        assert_eq!(log.take(), "once again");
    });
}

#[test]
fn al08_a_nested_run_is_refused_for_this_loop_and_for_another() {
    every_loop(|lp| {
        let other = EventLoop::virtual_time();
        let refused = Rc::new(Cell::new(0));
        let counter = Rc::clone(&refused);
        lp.call_soon(move |lp| {
            for ended in [
                lp.run_forever(),
                lp.run_until_idle(),
                lp.run_for(Duration::ZERO),
                lp.turn(Duration::ZERO).map(drop),
                lp.run_until_complete(async {}),
                other.run_forever(),
            ] {
                assert!(matches!(ended, Err(LoopError::AlreadyRunning)), "{ended:?}");
                counter.set(counter.get() + 1);
            }
        })
        .unwrap();
        lp.run_until_idle().unwrap();
        assert_eq!(refused.get(), 6);
    });
}

#[test]
fn al09_run_until_complete_gives_the_value_or_the_error_of_a_future_or_a_task() {
    every_loop(|lp| {
        let text = String::from("borrowed");
        let length = lp.run_until_complete(async { text.len() }).unwrap();
        assert_eq!(length, 8);
        let error = lp.run_until_complete(async { "x".parse::<u32>() }).unwrap();
        assert!(error.is_err());
        let task = lp.spawn(async { 7 }).unwrap();
        assert_eq!(lp.run_until_complete(task).unwrap(), Ok(7));
    });
}

#[test]
fn al10_a_task_whose_run_was_stopped_ends_in_a_later_run() {
    every_loop(|lp| {
        let handle = lp.clone();
        let mut task = lp
            .spawn(async move {
                handle.next_turn().await;
                handle.next_turn().await;
                "done"
            })
            .unwrap();
        lp.stop();
        let stopped = lp.run_until_complete(&mut task);
        assert!(matches!(stopped, Err(LoopError::Stopped)), "{stopped:?}");
        assert!(!task.is_finished());
        assert_eq!(lp.run_until_complete(task).unwrap(), Ok("done"));
    });
}

#[test]
fn al11_the_end_of_an_abandoned_run_does_not_stop_the_next() {
    every_loop(|lp| {
        let log = Log::default();
        let handle = lp.clone();
        let mut task = lp.spawn(async move { handle.next_turn().await }).unwrap();
        lp.stop();
        assert!(lp.run_until_complete(&mut task).is_err());
        // The task ends in this run, which goes on.
        lp.call_later(Duration::from_millis(1), log.writes("still there"))
            .unwrap();
        lp.call_later(Duration::from_millis(2), EventLoop::stop)
            .unwrap();
        lp.run_forever().unwrap();
        assert!(task.is_finished());
        assert_eq!(log.take(), "still there");
    });
}

#[test]
fn al12_a_task_of_another_loop_is_refused() {
    let (one, other) = (EventLoop::virtual_time(), EventLoop::virtual_time());
    let foreign = other.spawn(pending::<()>()).unwrap();
    assert_eq!(
        one.run_until_complete(foreign).unwrap(),
        Err(JoinError::WrongLoop)
    );
}

#[test]
fn al13_close_is_refused_while_running_and_harmless_the_second_time() {
    every_loop(|lp| {
        lp.call_soon(|lp| {
            assert!(lp.is_running());
            assert!(matches!(lp.close(), Err(LoopError::AlreadyRunning)));
        })
        .unwrap();
        lp.run_until_idle().unwrap();
        assert!(!lp.is_running() && !lp.is_closed());

        let kept = Rc::new(());
        let captured = [Rc::clone(&kept), Rc::clone(&kept), Rc::clone(&kept)];
        let [a, b, c] = captured;
        lp.call_soon(move |_| drop(a)).unwrap();
        lp.call_later(Duration::from_secs(1), move |_| drop(b))
            .unwrap();
        let task = lp
            .spawn(async move {
                pending::<()>().await;
                drop(c);
            })
            .unwrap();
        let left = lp.close().unwrap();
        assert_eq!((left.callbacks, left.timers, left.tasks), (1, 1, 1));
        assert_eq!(Rc::strong_count(&kept), 1);
        assert!(task.is_finished());
        assert!(lp.is_closed());
        assert!(lp.close().unwrap().is_empty());
    });
}

#[test]
fn al14_a_closed_loop_refuses_everything_and_never_panics() {
    every_loop(|lp| {
        let task = lp.spawn(pending::<()>()).unwrap();
        let timer = lp.call_later(Duration::from_secs(1), |_| ()).unwrap();
        let remote = lp.remote();
        lp.close().unwrap();
        let closed = |ended: Result<(), LoopError>| matches!(ended, Err(LoopError::Closed));
        assert!(closed(lp.run_forever()));
        assert!(closed(lp.run_until_idle()));
        assert!(closed(lp.run_for(Duration::ZERO)));
        assert!(closed(lp.run_until_complete(async {})));
        assert!(closed(lp.turn(Duration::ZERO).map(drop)));
        assert!(closed(lp.call_soon(|_| ()).map(drop)));
        assert!(closed(lp.call_later(Duration::ZERO, |_| ()).map(drop)));
        assert!(closed(lp.call_at(lp.time(), |_| ()).map(drop)));
        assert!(closed(lp.spawn(async {}).map(drop)));
        assert!(closed(remote.call_soon(|_| ())));
        assert!(closed(remote.spawn(|_| async {})));
        assert!(remote.is_closed());
        lp.stop();
        remote.stop();
        assert!(!task.cancel() && !timer.cancel() && !timer.is_pending());
    });
}

#[test]
fn al27_a_failing_callback_is_told_and_the_next_one_runs() {
    every_loop(|lp| {
        let log = Log::default();
        let told = log.clone();
        lp.on_failure(move |failure| {
            told.add(format!("[{}: {}]", failure.item(), failure.message()));
        });
        lp.call_soon(|_| Err::<(), _>("no")).unwrap();
        lp.call_soon(|_| -> () { panic!("oh") }).unwrap();
        lp.call_soon(log.writes("next")).unwrap();
        lp.run_until_idle().unwrap();
        assert_eq!(log.take(), "[a callback: no] [a callback: oh] next");
    });
}

#[test]
fn al28_a_fatal_error_leaves_the_run_and_the_loop_can_run_again() {
    every_loop(|lp| {
        let log = Log::default();
        lp.call_soon(|_| Err::<(), _>(Fatal::new("broken")))
            .unwrap();
        lp.call_soon(log.writes("left")).unwrap();
        let ended = lp.run_forever();
        assert!(matches!(&ended, Err(LoopError::Fatal(f)) if f.to_string() == "broken"));
        assert_eq!(log.take(), "");
        assert!(!lp.is_closed());
        lp.run_until_idle().unwrap();
        assert_eq!(log.take(), "left");
    });
}

#[test]
fn al29_a_hook_takes_the_place_of_another() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (first, second) = (log.clone(), log.clone());
    let fail = |lp: &EventLoop| {
        lp.call_soon(|_| Err::<(), _>("x")).unwrap();
        lp.run_until_idle().unwrap();
    };
    lp.on_failure(move |_| first.add("first"));
    fail(&lp);
    lp.on_failure(move |_| second.add("second"));
    fail(&lp);
    lp.default_on_failure();
    fail(&lp);
    assert_eq!(log.take(), "first second");
}

#[test]
fn al30_a_failing_hook_ends_nothing_and_is_not_told_of_itself() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let told = log.clone();
    lp.on_failure(move |_| {
        told.add("told");
        panic!("the hook itself");
    });
    lp.call_soon(|_| Err::<(), _>("x")).unwrap();
    lp.call_soon(log.writes("next")).unwrap();
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "told next");
}

#[test]
fn al36_al37_al38_the_current_loop_is_the_running_one_else_the_entered_one_and_is_never_made() {
    assert!(EventLoop::current().is_none());
    let lp = EventLoop::virtual_time();
    assert!(EventLoop::current().is_none());
    let (outer, inner) = (EventLoop::virtual_time(), EventLoop::virtual_time());
    let is = |lp: &EventLoop| {
        let before = lp.task_count();
        let current = EventLoop::current().unwrap();
        let task = current.spawn(pending::<()>()).unwrap();
        let more = lp.task_count() - before;
        task.abort();
        more == 1
    };
    let first = outer.enter();
    assert!(is(&outer));
    let second = inner.enter();
    assert!(is(&inner));
    lp.call_soon(move |lp| assert!(is(lp))).unwrap();
    lp.run_until_idle().unwrap();
    drop(first);
    assert!(is(&inner));
    drop(second);
    assert!(EventLoop::current().is_none());
}

#[test]
fn a_dropped_loop_says_how_many_tasks_it_had() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let told = log.clone();
    lp.on_failure(move |failure| told.add(failure.to_string()));
    lp.spawn(pending::<()>()).unwrap().detach();
    let handle = lp.clone();
    drop(lp);
    assert!(log.take().contains("1 task dropped with it"));
    assert!(matches!(handle.run_forever(), Err(LoopError::Closed)));
}

#[test]
fn al38_guards_may_be_dropped_in_any_order() {
    let a = EventLoop::virtual_time();
    let b = EventLoop::virtual_time();
    let (first, second) = (a.enter(), b.enter());
    drop(b);
    drop(first);
    assert!(EventLoop::current().is_none());
    drop(second);
    assert!(EventLoop::current().is_none());
}

#[test]
fn al15_what_is_ready_when_the_last_task_ends_still_runs() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (done, last, own) = (log.clone(), log.clone(), lp.clone());
    let task = lp.spawn(async move {
        own.cancelled().await;
        drop(own.call_soon(last.writes("last act")));
    });
    let task = task.unwrap();
    task.on_done(move |_| done.add("done"));
    lp.turn(Duration::ZERO).unwrap();
    let left = lp.shutdown(Duration::from_secs(10)).unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(log.take(), "last act done");
}

#[test]
fn a_hook_that_closes_the_loop_leaves_no_task_behind() {
    let lp = EventLoop::virtual_time();
    let own = lp.clone();
    lp.on_spawn(move |_, _| drop(own.close()));
    assert!(matches!(lp.spawn(async {}), Err(LoopError::Closed)));
    assert_eq!(lp.task_count(), 0);
}
