//! `TaskSet`: the ends of tasks in the order in which they come.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;
use tidings::event_loop::{CancelReason, EventLoop, JoinError, TaskSet};

const SECOND: Duration = Duration::from_secs(1);

/// Tasks that end after so many seconds, and give that number.
fn sleepers(lp: &EventLoop, seconds: &[u32]) -> TaskSet<u32> {
    let mut set = lp.task_set();
    for seconds in seconds.iter().copied() {
        let sleep = lp.sleep(SECOND * seconds);
        set.spawn(async move {
            sleep.await;
            seconds
        })
        .unwrap();
    }
    set
}

#[test]
fn at16_the_first_that_ends_comes_first_and_the_others_stay_in_the_set() {
    let lp = EventLoop::virtual_time();
    let mut set = sleepers(&lp, &[3, 1, 2]);
    assert_eq!(lp.run_until_complete(set.next()).unwrap(), Some(Ok(1)));
    assert_eq!((lp.elapsed(), set.len(), lp.task_count()), (SECOND, 2, 2));
}

#[test]
fn at16_who_waits_until_the_first_error_leaves_the_others_running() {
    let lp = EventLoop::virtual_time();
    let mut set = lp.task_set();
    for seconds in [1, 2, 3] {
        let sleep = lp.sleep(SECOND * seconds);
        set.spawn(async move {
            sleep.await;
            if seconds == 2 {
                Err(seconds)
            } else {
                Ok(seconds)
            }
        })
        .unwrap();
    }
    let first_error = lp.run_until_complete(async {
        loop {
            if let Err(error) = set.next().await?.ok()? {
                return Some(error);
            }
        }
    });
    assert_eq!((first_error.unwrap(), set.len()), (Some(2), 1));
    assert_eq!(lp.run_until_complete(set.next()).unwrap(), Some(Ok(Ok(3))));
}

#[test]
fn at16_a_timeout_leaves_the_tasks_running() {
    let lp = EventLoop::virtual_time();
    let mut set = sleepers(&lp, &[2, 4]);
    let late = lp.timeout(SECOND, set.next());
    assert!(lp.run_until_complete(late).unwrap().is_err());
    assert_eq!((set.len(), lp.task_count()), (2, 2));
    assert_eq!(lp.run_until_complete(set.next()).unwrap(), Some(Ok(2)));
    assert_eq!(lp.elapsed(), SECOND * 2);
}

#[test]
fn at17_as_a_stream_it_gives_all_in_the_order_of_their_ends() {
    let lp = EventLoop::virtual_time();
    let set = sleepers(&lp, &[3, 1, 2]);
    let all = lp.run_until_complete(set.collect::<Vec<_>>()).unwrap();
    assert_eq!(all, [Ok(1), Ok(2), Ok(3)]);
}

#[test]
fn at17_tasks_that_ended_before_anybody_looked_come_in_the_order_of_their_ends() {
    let lp = EventLoop::virtual_time();
    let mut set = sleepers(&lp, &[3, 1, 2]);
    assert_eq!(set.try_next(), None);
    lp.run_until_idle().unwrap();
    let all: Vec<_> = std::iter::from_fn(|| set.try_next()).collect();
    assert_eq!(all, [Ok(1), Ok(2), Ok(3)]);
    assert!(set.is_empty());
}

#[test]
fn at16_an_empty_set_is_done_and_goes_on_with_what_comes_later() {
    let lp = EventLoop::virtual_time();
    let mut set = lp.task_set();
    assert_eq!(lp.run_until_complete(set.next()).unwrap(), None);
    set.add(lp.spawn_named("one", async { 1 }).unwrap());
    set.add(lp.blocking(|| 2).unwrap());
    let mut both = Vec::new();
    while let Some(done) = lp.run_until_complete(set.next()).unwrap() {
        both.push(done.unwrap());
    }
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
}

#[test]
fn at16_a_task_that_was_cancelled_or_panicked_is_one_end_among_others() {
    let lp = EventLoop::virtual_time();
    let mut set = lp.task_set();
    let cancelled = lp.spawn(pending::<()>()).unwrap();
    cancelled.cancel();
    set.add(cancelled);
    set.spawn(async { assert!(std::hint::black_box(false), "oh") })
        .unwrap();
    let both = lp.run_until_complete((&mut set).collect::<Vec<_>>());
    let panicked = JoinError::Panicked("oh".to_owned());
    assert_eq!(both.unwrap(), [Err(JoinError::Cancelled), Err(panicked)]);
}

#[test]
fn at16_a_set_that_is_dropped_cancels_its_tasks_unless_they_were_detached() {
    let lp = EventLoop::virtual_time();
    let told = Rc::new(RefCell::new(Vec::new()));
    let failures = Rc::clone(&told);
    lp.on_failure(move |failure| failures.borrow_mut().push(failure.message().to_owned()));
    let reason = Rc::new(RefCell::new(None));
    let mut set = lp.task_set();
    let (own, inner) = (lp.clone(), Rc::clone(&reason));
    set.spawn(async move { *inner.borrow_mut() = Some(own.cancelled().await) })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    drop(set);
    lp.run_until_idle().unwrap();
    assert_eq!(reason.take(), Some(CancelReason::Dropped));

    let mut set = lp.task_set();
    let sleep = lp.sleep(SECOND);
    set.spawn(async move {
        sleep.await;
        Err::<(), _>("told")
    })
    .unwrap();
    set.detach_all();
    drop(set);
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), ["told"]);
}

#[test]
fn at16_tasks_that_could_never_end_here_are_refused_one_by_one() {
    let lp = EventLoop::virtual_time();
    let mut set = sleepers(&lp, &[1, 2]);
    let other = EventLoop::virtual_time();
    let refused = other.run_until_complete(async {
        let first = set.next().await;
        (first, set.next().await, set.next().await)
    });
    let wrong = Some(Err(JoinError::WrongLoop));
    assert_eq!(refused.unwrap(), (wrong.clone(), wrong, None));

    let lp = EventLoop::virtual_time();
    let set = Rc::new(RefCell::new(lp.task_set()));
    let (inner, told) = (Rc::clone(&set), Rc::new(Cell::new(None)));
    let answer = Rc::clone(&told);
    set.borrow_mut()
        .spawn(async move {
            let mut own = inner.take_set();
            answer.set(own.next().await);
        })
        .unwrap();
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), Some(Err(JoinError::SelfAwait)));
}

#[test]
fn at16_a_task_that_would_wait_for_itself_is_told_whoever_looked_before() {
    let lp = EventLoop::virtual_time();
    let set = Rc::new(RefCell::new(lp.task_set()));
    let next =
        |set: Rc<RefCell<TaskSet<()>>>| poll_fn(move |cx| pin!(set.borrow_mut().next()).poll(cx));
    let (own, inner) = (lp.clone(), Rc::clone(&set));
    let told = Rc::new(RefCell::new(Vec::new()));
    let answers = Rc::clone(&told);
    // First of all the run looks, later another task, and then this one.
    (set.borrow_mut())
        .spawn(async move {
            own.sleep(SECOND * 2).await;
            let answer = next(inner).await;
            answers.borrow_mut().push(answer);
        })
        .unwrap();
    let late = lp.timeout(SECOND / 2, next(Rc::clone(&set)));
    assert!(lp.run_until_complete(late).unwrap().is_err());
    let (own, inner) = (lp.clone(), Rc::clone(&set));
    let other = lp.spawn(async move { own.timeout(SECOND / 2, next(inner)).await });
    let late = lp.run_until_complete(other.unwrap()).unwrap();
    assert!(late.unwrap().is_err());
    lp.run_until_idle().unwrap();
    assert_eq!(told.take(), [Some(Err(JoinError::SelfAwait))]);
    assert_eq!((lp.task_count(), set.borrow().len()), (0, 0));
}

trait TakeSet {
    fn take_set(&self) -> TaskSet<()>;
}

impl TakeSet for RefCell<TaskSet<()>> {
    /// The set, with another one in its place.
    fn take_set(&self) -> TaskSet<()> {
        let lp = EventLoop::current().unwrap();
        self.replace(lp.task_set())
    }
}
