//! Promises.
#![cfg(feature = "runtime")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::{EventLoop, PromiseError};

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

fn told(lp: &EventLoop) -> Log {
    let log = Log::default();
    let inner = log.clone();
    lp.on_failure(move |failure| inner.add(format!("{}: {}", failure.item(), failure.message())));
    log
}

#[test]
fn af1_a_new_promise_is_neither_done_nor_cancelled() {
    let lp = EventLoop::virtual_time();
    let (_promise, future) = lp.promise::<u32>();
    assert!(!future.is_done() && !future.is_cancelled());
}

#[test]
fn af2_result_and_error_before_the_end_are_not_ready() {
    let lp = EventLoop::virtual_time();
    let (_promise, future) = lp.promise::<u32>();
    assert!(matches!(future.result(), Err(PromiseError::NotReady)));
    assert!(matches!(future.error(), Err(PromiseError::NotReady)));
}

#[test]
fn af3_a_shared_promise_that_is_done_gives_the_value_back() {
    let lp = EventLoop::virtual_time();
    let (promise, future) = lp.promise();
    let promise = promise.shared();
    let other = promise.clone();
    promise.resolve("first").unwrap();
    assert_eq!(other.resolve("second").unwrap_err().0, "second");
    assert!(other.reject("third").is_err());
    assert_eq!(*future.result().unwrap(), "first");
    let (promise, future) = lp.promise();
    let promise = promise.shared();
    future.cancel();
    assert!(promise.resolve(1).is_err());
}

#[test]
fn af4_the_result_says_the_same_every_time() {
    let lp = EventLoop::virtual_time();
    let (promise, future) = lp.promise();
    promise.resolve(String::from("value"));
    for _ in 0..2 {
        assert_eq!(*future.result().unwrap(), "value");
        assert!(future.error().unwrap().is_none());
    }
    let (promise, future) = lp.promise::<u32>();
    promise.reject("broken");
    for _ in 0..2 {
        assert_eq!(future.result().unwrap_err().to_string(), "broken");
        assert_eq!(future.error().unwrap().unwrap().to_string(), "broken");
    }
}

#[test]
fn af5_cancel_is_true_only_before_the_end() {
    let lp = EventLoop::virtual_time();
    let (promise, future) = lp.promise::<u32>();
    assert!(future.cancel() && !future.cancel());
    assert!(promise.is_cancelled() && future.is_cancelled());
    assert!(matches!(future.result(), Err(PromiseError::Cancelled)));
    let (promise, future) = lp.promise();
    promise.resolve(1);
    assert!(!future.cancel());
}

#[test]
fn af6_callbacks_never_run_inside_resolve_nor_inside_on_done() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (promise, future) = lp.promise();
    let (early, late) = (log.clone(), log.clone());
    future.on_done(move |_, _| early.add("early"));
    promise.resolve(1);
    future.on_done(move |_, _| late.add("late"));
    assert_eq!(log.take(), "");
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "early late");
}

#[test]
fn af7_callbacks_and_tasks_that_wait_run_in_the_order_in_which_they_came_and_get_the_result() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (promise, future) = lp.promise();
    let future = Rc::new(RefCell::new(future));
    let first = log.clone();
    future
        .borrow()
        .on_done(move |_, result| first.add(format!("first {}", result.unwrap())));
    let before = log.clone();
    lp.call_soon(move |_| {
        before.add("before");
        promise.resolve(7);
    })
    .unwrap();
    let after = log.clone();
    lp.call_soon(move |_| after.add("after")).unwrap();
    let second = log.clone();
    future.borrow().on_done(move |_, _| second.add("second"));
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "before after first 7 second");
}

#[test]
fn af8_callbacks_may_add_and_remove_callbacks() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (promise, future) = lp.promise();
    let future = Rc::new(future);
    let (inner, again) = (log.clone(), Rc::clone(&future));
    future.on_done(move |_, _| {
        let deeper = inner.clone();
        again.on_done(move |_, _| deeper.add("added"));
        inner.add("first");
    });
    let second = log.clone();
    future.on_done(move |_, _| second.add("second"));
    promise.resolve(());
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "first second added");
}

#[test]
fn af9_a_callback_can_be_removed_before_the_end() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (promise, future) = lp.promise();
    let (one, two) = (log.clone(), log.clone());
    let gone = future.on_done(move |_, _| one.add("gone"));
    let stays = future.on_done(move |_, _| two.add("stays"));
    assert!(gone.remove() && !gone.remove());
    promise.resolve(());
    assert!(!stays.remove());
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "stays");
}

#[test]
fn af10_awaiting_what_is_done_takes_no_turn() {
    let lp = EventLoop::virtual_time();
    let (promise, future) = lp.promise();
    promise.resolve(7);
    let task = lp.spawn(future).unwrap();
    assert_eq!(lp.turn(Duration::ZERO).unwrap().ran, 1);
    assert!(task.is_finished());
}

#[test]
fn af11_an_error_that_nobody_looked_at_is_told_once_and_no_other_is() {
    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let (promise, future) = lp.promise::<u32>();
    promise.reject("lost");
    assert_eq!(log.take(), "");
    drop(future);
    assert_eq!(log.take(), "a promise: lost");

    let (promise, future) = lp.promise::<u32>();
    drop(future);
    promise.reject("after the reader");
    assert_eq!(log.take(), "a promise: after the reader");

    let (promise, future) = lp.promise::<u32>();
    promise.reject("seen");
    assert!(future.error().is_ok());
    drop(future);
    let (promise, future) = lp.promise::<u32>();
    promise.reject("ignored");
    future.ignore();
    let (promise, future) = lp.promise::<u32>();
    future.cancel();
    promise.reject("cancelled");
    drop(future);
    let (promise, future) = lp.promise::<u32>();
    promise.reject("awaited");
    assert!(lp.run_until_complete(future).unwrap().is_err());
    assert_eq!(log.take(), "");
}

#[test]
fn af12_a_value_for_who_has_cancelled_is_dropped_in_silence() {
    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let (promise, future) = lp.promise();
    future.cancel();
    promise.resolve(7);
    lp.run_until_idle().unwrap();
    assert!(future.is_cancelled());
    assert_eq!(log.take(), "");
}

#[test]
fn a_promise_that_is_forgotten_ends_the_wait() {
    let lp = EventLoop::virtual_time();
    let (promise, future) = lp.promise::<u32>();
    drop(promise);
    let ended = lp.run_until_complete(future).unwrap();
    assert!(matches!(ended, Err(PromiseError::Dropped)));
}

#[test]
fn a_promise_of_another_loop_is_refused() {
    let (one, other) = (EventLoop::virtual_time(), EventLoop::virtual_time());
    let (_promise, future) = other.promise::<u32>();
    let ended = one.run_until_complete(future).unwrap();
    assert!(matches!(ended, Err(PromiseError::WrongLoop)));
}

#[test]
fn a_panic_in_a_done_callback_is_told_and_the_next_one_runs() {
    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let (promise, future) = lp.promise();
    future.on_done(|_, _| assert!(std::hint::black_box(false), "oh"));
    let next = log.clone();
    future.on_done(move |_, _| next.add("next"));
    promise.resolve(());
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "a done-callback: oh next");
}

#[test]
fn a_future_may_be_polled_inside_its_own_callback() {
    use futures::FutureExt as _;

    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let (promise, future) = lp.promise();
    let future = Rc::new(RefCell::new(Some(future)));
    let own = Rc::clone(&future);
    let inner = log.clone();
    future.borrow().as_ref().unwrap().on_done(move |_, _| {
        let mut own = own.borrow_mut();
        let polled = own.as_mut().unwrap().now_or_never();
        inner.add(format!("{}", polled.is_none()));
    });
    promise.resolve(7);
    lp.run_until_idle().unwrap();
    assert_eq!(log.take(), "true");
    let future = future.take().unwrap();
    assert_eq!(lp.run_until_complete(future).unwrap().unwrap(), 7);
}

#[test]
fn a_callback_of_a_promise_that_is_not_kept_ends_with_the_loop_and_counts_as_nothing_left() {
    let lp = EventLoop::virtual_time();
    let (promise, answer) = lp.promise::<u32>();
    let held = Rc::new(());
    let own = Rc::clone(&held);
    let callback = answer.on_done(move |_, _| drop(own));
    assert_eq!(Rc::strong_count(&held), 2);
    assert!(lp.close().unwrap().is_empty());
    assert_eq!(Rc::strong_count(&held), 1);

    let own = Rc::clone(&held);
    answer.on_done(move |_, _| drop(own));
    assert_eq!(Rc::strong_count(&held), 1, "it can never be called");
    promise.resolve(1);
    assert!(!callback.remove());
}

#[test]
fn af2_an_error_that_was_awaited_by_reference_is_still_there() {
    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let (promise, mut future) = lp.promise::<u32>();
    promise.reject("broken");
    for _ in 0..2 {
        let awaited = lp.run_until_complete(&mut future).unwrap();
        assert_eq!(awaited.unwrap_err().to_string(), "broken");
        assert_eq!(future.error().unwrap().unwrap().to_string(), "broken");
    }
    assert!(matches!(future.result(), Err(PromiseError::Failed(_))));
    drop(future);
    assert_eq!(log.take(), "", "somebody looked at it");
}

#[test]
fn af2_a_cancellation_that_was_awaited_by_reference_is_still_one() {
    let lp = EventLoop::virtual_time();
    let (_promise, mut future) = lp.promise::<u32>();
    future.cancel();
    let awaited = lp.run_until_complete(&mut future).unwrap();
    assert!(matches!(awaited, Err(PromiseError::Cancelled)));
    assert!(future.is_cancelled());
    assert!(matches!(future.error(), Err(PromiseError::Cancelled)));
}

#[test]
fn af2_a_value_that_was_awaited_by_reference_is_taken() {
    let lp = EventLoop::virtual_time();
    let (promise, mut future) = lp.promise();
    promise.resolve(42);
    assert_eq!(lp.run_until_complete(&mut future).unwrap().unwrap(), 42);
    assert!(matches!(future.result(), Err(PromiseError::Taken)));
    assert!(future.error().unwrap().is_none() && !future.is_cancelled());
}
