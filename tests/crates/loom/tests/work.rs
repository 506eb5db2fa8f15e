//! Waiting for a bus to be idle while its last deliveries end: no wake-up is lost.
#![cfg(tidings_loom)]

#[path = "../../../../event-core/src/sync.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod sync;
#[path = "../../../../event-core/src/bus/work.rs"]
mod work;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::thread;
use sync::Arc;
use sync::atomic::{AtomicBool, Ordering};
use work::{Tally, Work};

/// Every interleaving with at most three switches where none is needed.
fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

#[test]
fn who_waits_for_the_last_delivery_is_woken() {
    model(|| {
        let work = Work::new();
        let (mine, lease) = (Work::lease(&work), Work::lease(&work));
        let thread = thread::spawn(move || drop(lease));
        drop(mine);
        block_on(Work::idle(&work));
        thread.join().unwrap();
    });
}

#[test]
fn a_delivery_that_another_one_begins_is_waited_for() {
    model(|| {
        let (work, ended) = (Work::new(), Arc::new(AtomicBool::new(false)));
        let first = Work::lease(&work);
        let (theirs, tell) = (Arc::clone(&work), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            let second = Work::lease(&theirs);
            drop(first);
            tell.store(true, Ordering::Release);
            drop(second);
        });
        block_on(Work::idle(&work));
        assert!(ended.load(Ordering::Acquire));
        thread.join().unwrap();
    });
}

#[test]
fn a_closed_bus_stays_closed() {
    model(|| {
        let work = Work::new();
        let theirs = Arc::clone(&work);
        let thread = thread::spawn(move || {
            theirs.drain();
            theirs.close();
        });
        work.drain();
        work.close();
        work.drain();
        assert!(work.is_closed() && work.refuses(|| true));
        thread.join().unwrap();
    });
}

#[test]
fn the_end_of_the_last_delivery_of_a_queue_is_not_missed() {
    model(|| {
        let (work, queue) = (Work::new(), Arc::new(Tally::new()));
        work.add(&queue);
        let lease = Work::lease(&work);
        queue.open();
        queue.open();
        let (theirs, tally) = (Arc::clone(&work), Arc::clone(&queue));
        let thread = thread::spawn(move || tally.end(&theirs, 2));
        drop(lease);
        block_on(Work::idle(&work));
        assert_eq!(work.open(), 0);
        thread.join().unwrap();
    });
}

#[test]
fn what_a_queued_delivery_begins_in_another_queue_is_waited_for() {
    model(|| {
        let (work, ended) = (Work::new(), Arc::new(AtomicBool::new(false)));
        let (first, second) = (Arc::new(Tally::new()), Arc::new(Tally::new()));
        work.add(&first);
        work.add(&second);
        first.open();
        let (theirs, tell) = (Arc::clone(&work), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            second.open();
            first.end(&theirs, 1);
            tell.store(true, Ordering::Release);
            second.end(&theirs, 1);
        });
        block_on(Work::idle(&work));
        assert!(ended.load(Ordering::Acquire));
        thread.join().unwrap();
    });
}

#[test]
fn who_waits_is_told_when_what_is_open_is_given_up() {
    loom::model(|| {
        let work = Work::new();
        let lease = Work::lease(&work);
        let theirs = Arc::clone(&work);
        let thread = thread::spawn(move || theirs.end());
        block_on(Work::done(&work));
        block_on(Work::over(&work));
        assert!(work.is_closed());
        thread.join().unwrap();
        drop(lease);
    });
}

#[test]
fn who_waits_for_one_queue_is_woken_while_another_is_open() {
    model(|| {
        let work = Work::new();
        let (one, other) = (Arc::new(Tally::new()), Arc::new(Tally::new()));
        work.add(&one);
        work.add(&other);
        one.open();
        other.open();
        let (theirs, tally) = (Arc::clone(&work), Arc::clone(&one));
        let thread = thread::spawn(move || tally.end(&theirs, 1));
        block_on(Work::done_of(&work, Arc::new(vec![one])));
        assert_eq!(work.open(), 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_wait_that_is_given_up_takes_no_wake_up_from_another() {
    model(|| {
        let work = Work::new();
        let lease = Work::lease(&work);
        let mut given_up = Work::idle(&work);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut given_up).poll(&mut cx).is_pending());
        let thread = thread::spawn(move || drop(lease));
        let theirs = thread::spawn(move || drop(given_up));
        block_on(Work::idle(&work));
        thread.join().unwrap();
        theirs.join().unwrap();
    });
}
