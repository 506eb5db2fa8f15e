//! Waiting for a bus to be idle while its last deliveries end: no wake-up is lost.
#![cfg(tidings_loom)]

#[path = "../../../../event-core/src/sync.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod sync;
#[path = "../../../../event-core/src/work.rs"]
mod work;

use loom::future::block_on;
use loom::thread;
use sync::Arc;
use sync::atomic::{AtomicBool, Ordering};
use work::Work;

#[test]
fn who_waits_for_the_last_delivery_is_woken() {
    loom::model(|| {
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
    loom::model(|| {
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
    loom::model(|| {
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
