//! Wakers that outlive their tasks.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tidings::event_loop::EventLoop;

/// A future that gives its waker away and never ends.
fn gives(place: &Rc<RefCell<Option<Waker>>>) -> impl Future<Output = ()> + use<> {
    let place = Rc::clone(place);
    poll_fn(move |cx| {
        *place.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    })
}

#[test]
fn a_late_wake_and_the_last_drop_of_a_waker_on_another_thread_touch_nothing() {
    let lp = EventLoop::virtual_time();
    let place = Rc::default();
    for when in ["before the end", "after the end", "after the close"] {
        let loop_ = EventLoop::virtual_time();
        loop_.on_failure(|_| ());
        let task = loop_.spawn(gives(&place)).unwrap();
        loop_.turn(Duration::ZERO).unwrap();
        let waker = place.take().unwrap();
        match when {
            "before the end" => {}
            "after the end" => {
                task.abort();
                loop_.turn(Duration::ZERO).unwrap();
                assert!(task.is_finished());
            }
            _ => drop(loop_.close().unwrap()),
        }
        std::thread::spawn(move || {
            waker.wake_by_ref();
            drop(waker);
        })
        .join()
        .unwrap();
        if when != "after the close" {
            loop_.turn(Duration::ZERO).unwrap();
        }
        drop(place.take());
    }
    lp.run_until_idle().unwrap();
}

#[test]
fn a_waker_of_a_task_that_has_ended_never_steps_a_later_one() {
    let lp = EventLoop::virtual_time();
    let late = Rc::new(RefCell::new(None));
    let steps = Rc::new(Cell::new(0));
    let later = || {
        let steps = Rc::clone(&steps);
        let task = lp.spawn(poll_fn(move |_| {
            steps.set(steps.get() + 1);
            Poll::<()>::Pending
        }));
        task.unwrap().detach();
        lp.run_until_idle().unwrap();
    };
    for round in 1..=3 {
        let given = Rc::clone(&late);
        let ended = lp.spawn(poll_fn(move |cx| {
            given.replace(Some(cx.waker().clone()));
            Poll::Ready(())
        }));
        lp.run_until_complete(ended.unwrap()).unwrap().unwrap();
        // The waker is held while the next task starts, and then dropped, so that the one after may have what it belonged to.
        later();
        let waker: Waker = late.take().unwrap();
        waker.wake_by_ref();
        lp.run_until_idle().unwrap();
        assert_eq!(steps.get(), 2 * round - 1);
        drop(waker);
        later();
        assert_eq!(steps.get(), 2 * round);
    }
}
