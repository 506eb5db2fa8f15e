//! Who is told of a stop: the `main` of a program, which is asked to end (AL44), and the host of a turn (AL5, AL6).
#![cfg(feature = "runtime")]

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::{CancelReason, EventLoop, LoopError, run};

type Log = Rc<RefCell<Vec<&'static str>>>;

struct Notes(Log, &'static str);

impl Drop for Notes {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[test]
fn al44_a_main_that_listens_cleans_up_after_a_stop_and_gives_its_result() {
    type Stop = fn(&EventLoop);
    let ways: [Stop; 3] = [
        EventLoop::stop,
        |lp| lp.remote().stop(),
        |lp| drop(lp.call_soon(EventLoop::stop)),
    ];
    for stop in ways {
        let reason = run(async |lp| {
            stop(lp);
            let reason = lp.cancelled().await;
            lp.next_turn().await;
            reason
        });
        assert_eq!(reason.unwrap(), CancelReason::Stop);
    }
}

#[test]
fn al44_a_main_that_waits_is_stopped_by_a_thread() {
    let reason = run(async |lp| {
        let remote = lp.remote();
        let thread = std::thread::spawn(move || remote.stop());
        let reason = lp.cancelled().await;
        thread.join().unwrap();
        reason
    });
    assert_eq!(reason.unwrap(), CancelReason::Stop);
}

#[test]
fn al44_a_stop_drops_main_at_its_await_and_the_rest_is_shut_down() {
    let log = Log::default();
    let told = Rc::new(RefCell::new(None));
    let ended = run(async |lp| {
        let (own, tidied) = (lp.clone(), Rc::clone(&log));
        let task = async move {
            own.cancelled().await;
            own.next_turn().await;
            tidied.borrow_mut().push("the task tidied up");
        };
        lp.spawn(task)?.detach();
        let (own, heard) = (lp.clone(), Rc::clone(&told));
        let awaited = lp.spawn(async move {
            let reason = own.cancelled().await;
            *heard.borrow_mut() = Some(reason);
        })?;
        let _notes = Notes(Rc::clone(&log), "main was dropped");
        lp.next_turn().await;
        lp.stop();
        log.borrow_mut().push("main goes on to its next await");
        drop(awaited.await);
        Ok::<(), LoopError>(())
    });
    assert!(matches!(ended, Err(LoopError::Stopped)), "{ended:?}");
    assert_eq!(
        *log.borrow(),
        [
            "main goes on to its next await",
            "main was dropped",
            "the task tidied up"
        ]
    );
    assert_eq!(told.take(), Some(CancelReason::Stop));
}

#[test]
fn al44_a_second_stop_changes_nothing() {
    let answer = run(async |lp| {
        lp.stop();
        lp.cancelled().await;
        lp.stop();
        lp.next_turn().await;
        lp.remote().stop();
        lp.next_turn().await;
        7
    });
    assert_eq!(answer.unwrap(), 7);
}

#[test]
fn al44_a_stop_during_the_shutdown_changes_nothing() {
    let log = Log::default();
    let answer = run(async |lp| {
        let (own, tidied) = (lp.clone(), Rc::clone(&log));
        let task = async move {
            own.cancelled().await;
            own.stop();
            own.next_turn().await;
            tidied.borrow_mut().push("the task tidied up");
        };
        lp.spawn(task)?.detach();
        lp.next_turn().await;
        Ok::<_, LoopError>(7)
    });
    assert_eq!(answer.unwrap().unwrap(), 7);
    assert_eq!(*log.borrow(), ["the task tidied up"]);
}

#[test]
fn al44_a_stop_leaves_a_main_that_is_ready_its_result() {
    let answer = run(async |lp| {
        lp.stop();
        7
    });
    assert_eq!(answer.unwrap(), 7);
    let ended = run(async |lp| {
        lp.stop();
        pending::<()>().await;
    });
    assert!(matches!(ended, Err(LoopError::Stopped)), "{ended:?}");
}

#[test]
fn al44_a_shutdown_does_not_wait_for_the_wake_up_of_a_stop() {
    let lp = EventLoop::virtual_time();
    // The stop ends this turn, and the message that would have ended a wait is left.
    lp.call_soon(|lp| lp.remote().stop()).unwrap();
    lp.run_forever().unwrap();
    let begun = lp.time();
    assert!(lp.shutdown(Duration::from_secs(60)).unwrap().is_empty());
    assert_eq!(lp.time(), begun);
}

#[test]
fn al05_the_host_of_a_turn_is_told_of_a_stop_once() {
    let lp = EventLoop::virtual_time();
    assert!(!lp.turn(Duration::ZERO).unwrap().is_stopped);
    lp.call_soon(EventLoop::stop).unwrap();
    lp.call_soon(|_| ()).unwrap();
    let turn = lp.turn(Duration::ZERO).unwrap();
    assert_eq!((turn.ran, turn.is_stopped), (2, true));
    assert!(!lp.turn(Duration::ZERO).unwrap().is_stopped);
}

#[test]
fn al06_a_stop_between_two_turns_is_told_by_the_next_which_does_not_wait() {
    let lp = EventLoop::virtual_time();
    let begun = lp.time();
    let stops: [fn(&EventLoop); 2] = [EventLoop::stop, |lp| lp.remote().stop()];
    for stop in stops {
        stop(&lp);
        let turn = lp.turn(Duration::from_secs(60)).unwrap();
        assert_eq!((turn.ran, turn.is_stopped), (0, true));
        assert_eq!(lp.time(), begun);
        assert!(!lp.turn(Duration::ZERO).unwrap().is_stopped);
    }
}
