//! What a bus of the test kit leaves behind when it goes: nothing.
#![cfg(feature = "test")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{Bus, FailureKind, VirtualRuntime, event, listener};

#[event]
struct Queued;

#[event]
struct Spawned;

#[event]
struct Tried;

struct Kept;

#[listener(queue = 8)]
async fn queued(_: &Queued, _: &Kept) {
    pending::<()>().await;
}

#[listener]
async fn spawned(_: &Spawned, _: &Kept) {
    pending::<()>().await;
}

#[listener(queue = 8, retry = 5, backoff = "1h..1h")]
fn tried(_: &Tried, _: &Kept) -> Result<(), String> {
    Err("closed".into())
}

/// How many deliveries are told of that were given up, when a bus goes that has them.
fn left(emit: impl Fn(&TestBus)) -> usize {
    let (kept, told) = (Arc::new(Kept), Arc::new(AtomicUsize::new(0)));
    let (alive, tell) = (Arc::downgrade(&kept), Arc::clone(&told));
    let bus = TestBus::builder()
        .state(kept)
        .on_failure(move |failure| {
            assert_eq!(failure.kind(), FailureKind::Abandoned, "{failure}");
            tell.fetch_add(1, Ordering::SeqCst);
        })
        .build();
    emit(&bus);
    bus.advance(Duration::ZERO);
    drop(bus);
    assert!(alive.upgrade().is_none(), "the state is gone");
    told.load(Ordering::SeqCst)
}

#[test]
fn a_bus_that_goes_leaves_no_delivery_behind_and_tells_of_each() {
    let queued = |bus: &TestBus| drop(bus.emit(Queued));
    let spawned = |bus: &TestBus| drop(bus.emit(Spawned));
    let tried = |bus: &TestBus| drop(bus.emit(Tried));
    assert_eq!(left(queued), 1);
    assert_eq!(left(|bus| (0..2).for_each(|_| queued(bus))), 2);
    assert_eq!(left(|bus| (0..2).for_each(|_| spawned(bus))), 2);
    assert_eq!(left(|bus| (0..2).for_each(|_| tried(bus))), 2);
    let all = |bus: &TestBus| {
        for _ in 0..3 {
            queued(bus);
            spawned(bus);
            tried(bus);
        }
    };
    assert_eq!(left(all), 9);
}

#[test]
fn a_bus_whose_runtime_has_no_other_handle_goes_on() {
    let kept = Arc::new(Kept);
    let time = VirtualRuntime::new();
    let bus = Bus::builder()
        .state(Arc::clone(&kept))
        .on_failure(|_| ())
        .runtime(time.clone())
        .build()
        .expect("it is complete");
    bus.emit(Queued);
    time.run_until_stalled();
    drop(time);
    bus.emit(Queued);
    let stopped = bus.shutdown_blocking(Duration::from_secs(5));
    let stopped = stopped.expect("it runs no tasks");
    let [left] = stopped.left() else {
        panic!("{stopped}");
    };
    assert_eq!(left.in_flight().len(), 1);
}
