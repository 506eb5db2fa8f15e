//! Who asked a task to end, and who listens.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::{CancelReason, EventLoop, JoinError, JoinHandle, ScopeId};

const SECOND: Duration = Duration::from_secs(1);

/// A task that ends with why it was asked to.
fn listens(lp: &EventLoop) -> JoinHandle<CancelReason> {
    let own = lp.clone();
    let task = lp.spawn(async move { own.cancelled().await }).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task
}

type Place<T> = Rc<RefCell<Option<T>>>;

/// The future of a task that puts down why it was asked to end.
fn notes(lp: &EventLoop, place: &Place<CancelReason>) -> impl Future<Output = ()> + use<> {
    let (own, place) = (lp.clone(), Rc::clone(place));
    async move {
        let reason = own.cancelled().await;
        *place.borrow_mut() = Some(reason);
    }
}

#[test]
fn af14_the_words_of_a_cancel_reach_the_task_and_who_asks_its_handle() {
    let lp = EventLoop::virtual_time();
    let mut task = listens(&lp);
    assert_eq!(task.cancel_reason(), None);
    assert!(task.cancel_with("the window was closed"));
    let said = CancelReason::Said("the window was closed".into());
    assert_eq!(lp.run_until_complete(&mut task).unwrap(), Ok(said.clone()));
    assert_eq!(task.cancel_reason(), Some(said.clone()));
    assert_eq!(said.to_string(), "the window was closed");
    assert!(!task.cancel_with("it has ended"));
}

#[test]
fn af14_a_task_that_does_not_listen_is_cancelled_with_its_reason() {
    let lp = EventLoop::virtual_time();
    let mut task = lp.spawn(pending::<()>()).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel_with("enough");
    let ended = lp.run_until_complete(&mut task).unwrap();
    assert_eq!(ended, Err(JoinError::Cancelled));
    assert_eq!(
        task.cancel_reason(),
        Some(CancelReason::Said("enough".into()))
    );
}

#[test]
fn at12_of_several_requests_the_first_is_the_reason() {
    let lp = EventLoop::virtual_time();
    let task = listens(&lp);
    task.cancel();
    task.cancel_with("later");
    task.cancel();
    let ended = lp.run_until_complete(task).unwrap();
    assert_eq!(ended, Ok(CancelReason::Requested));
}

#[test]
fn at12_of_nested_scopes_the_one_that_ended_is_the_reason() {
    let lp = EventLoop::virtual_time();
    for outer_ends in [true, false] {
        let told = Place::default();
        let ids: Place<(ScopeId, ScopeId)> = Place::default();
        let ended = lp.run_until_complete(lp.scope(async |outer| {
            let inside = lp.scope(async |inner| {
                *ids.borrow_mut() = Some((outer.id(), inner.id()));
                let ending = if outer_ends { outer } else { inner };
                ending.spawn(notes(&lp, &told)).unwrap().detach();
                lp.next_turn().await;
                ending.cancel();
                pending::<()>().await;
            });
            inside.await.is_err()
        }));
        assert_eq!(ended.unwrap().is_err(), outer_ends);
        let (outer, inner) = ids.take().unwrap();
        assert_ne!(outer, inner);
        let id = if outer_ends { outer } else { inner };
        assert_eq!(told.take(), Some(CancelReason::Scope(id)));
    }
}

#[test]
fn at12_a_timeout_a_dropped_handle_and_the_end_of_the_loop_are_reasons() {
    let lp = EventLoop::virtual_time();
    let told = Place::default();

    let late = lp.timeout(SECOND, lp.spawn(notes(&lp, &told)).unwrap());
    assert!(lp.run_until_complete(late).unwrap().is_err());
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(CancelReason::Timeout));

    let task = lp.spawn(notes(&lp, &told)).unwrap();
    let late = lp.timeout_with(SECOND, async |_| task.await);
    assert!(lp.run_until_complete(late).unwrap().is_err());
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(CancelReason::Timeout));

    let mut task = Box::pin(lp.spawn(notes(&lp, &told)).unwrap());
    let waited = lp.timeout(SECOND, &mut task);
    assert!(lp.run_until_complete(waited).unwrap().is_err());
    drop(task);
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(CancelReason::Dropped));

    lp.spawn(notes(&lp, &told)).unwrap().detach();
    let unheard = lp.spawn(pending::<()>()).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    assert!(lp.shutdown(SECOND).unwrap().is_empty());
    assert_eq!(told.take(), Some(CancelReason::Close));
    assert_eq!(unheard.cancel_reason(), Some(CancelReason::Close));
}

#[test]
fn at12_the_reason_goes_on_to_the_task_that_is_waited_for() {
    let lp = EventLoop::virtual_time();
    let told = Place::default();
    let inner = lp.spawn(notes(&lp, &told)).unwrap();
    let outer = lp.spawn(async move { drop(inner.await) }).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    outer.cancel_with("enough");
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(CancelReason::Said("enough".into())));
}

#[test]
fn at22_what_a_closed_loop_drops_was_asked_to_end_by_the_close() {
    let lp = EventLoop::virtual_time();
    let task = lp.spawn(pending::<()>()).unwrap();
    assert_eq!(lp.close().unwrap().tasks, 1);
    assert_eq!(task.cancel_reason(), Some(CancelReason::Close));
}

#[test]
fn at10_a_task_listens_only_if_it_waits_itself() {
    let lp = EventLoop::virtual_time();
    let told = Rc::new(RefCell::new(None));
    let (own, inner) = (lp.clone(), Rc::clone(&told));
    let task = lp.spawn(async move {
        let asked = own.cancelled();
        let watch = own.spawn(async move {
            let reason = asked.await;
            *inner.borrow_mut() = Some(reason);
        });
        watch.unwrap().detach();
        pending::<()>().await;
    });
    let task = task.unwrap();
    lp.turn(Duration::ZERO).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel();
    // It does not wait for the request itself, so it is not given the five seconds; the other task is told all the same.
    let ended = lp.run_until_complete(task).unwrap();
    assert_eq!(
        (ended, lp.elapsed()),
        (Err(JoinError::Cancelled), Duration::ZERO)
    );
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(CancelReason::Requested));
}

#[test]
fn at10_what_another_task_was_asked_is_no_request_to_who_returns_its_end() {
    let lp = EventLoop::virtual_time();
    let inner = lp.spawn(pending::<()>()).unwrap();
    inner.cancel();
    let mut outer = lp.spawn(inner).unwrap();
    let ended = lp.run_until_complete(&mut outer).unwrap();
    assert_eq!(ended, Ok(Err(JoinError::Cancelled)));
    assert_eq!(outer.cancel_reason(), None);
}

#[test]
fn al24_a_periodic_callback_sets_its_own_next_time_inside_its_call() {
    let lp = EventLoop::virtual_time();
    let times = Rc::new(RefCell::new(Vec::new()));
    let own: Rc<RefCell<Option<tidings::event_loop::Handle>>> = Rc::default();
    let (inner, handle, was_set) = (
        Rc::clone(&times),
        Rc::clone(&own),
        Rc::new(Cell::new(false)),
    );
    let answer = Rc::clone(&was_set);
    let every = lp.call_every(SECOND, tidings::Missed::Skip, move |lp| {
        inner.borrow_mut().push(lp.elapsed().as_secs());
        if lp.elapsed() == SECOND * 2 {
            answer.set(handle.borrow().as_ref().unwrap().reset(SECOND * 10));
        }
    });
    *own.borrow_mut() = Some(every.unwrap());
    lp.run_for(SECOND * 14).unwrap();
    assert!(was_set.get());
    assert_eq!(*times.borrow(), [1, 2, 12, 13, 14]);
    assert!(own.borrow().as_ref().unwrap().cancel());
}

#[test]
fn al12_a_sleep_of_another_loop_takes_its_time_on_the_one_that_runs() {
    let (lp, other) = (EventLoop::virtual_time(), EventLoop::virtual_time());
    let sleep = other.sleep_until(other.time() + SECOND * 3);
    lp.run_until_complete(sleep).unwrap();
    assert_eq!(
        (lp.elapsed(), other.elapsed()),
        (SECOND * 3, Duration::ZERO)
    );

    // Begun on one loop, it goes on on the other with the time that is left.
    let mut sleep = Box::pin(lp.sleep_until(lp.time() + SECOND * 5));
    let begun = lp.run_until_complete(lp.timeout(SECOND * 2, &mut sleep));
    assert!(begun.unwrap().is_err());
    let late = other.run_until_complete(other.timeout(SECOND * 2, &mut sleep));
    assert!(late.unwrap().is_err());
    sleep.as_mut().reset(lp.time() + SECOND);
    other.run_until_complete(&mut sleep).unwrap();
    assert_eq!((lp.elapsed(), other.elapsed()), (SECOND * 5, SECOND * 3));
    assert_eq!((lp.timer_count(), other.timer_count()), (0, 0));
}
