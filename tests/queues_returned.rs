//! What listeners return may wait for room as the emission that caused it may.
#![cfg(feature = "tokio")]

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use tidings::{Bus, Context, FailureKind, event, listener};

#[event]
struct Read;

/// From an inline listener.
#[event]
struct Line;

#[event]
struct Asked;

/// From an async listener.
#[event]
struct Answer;

/// From an async listener, to an async queue.
#[event]
struct Question;

#[event]
struct Reply;

#[event]
struct Nested;

const LINES: usize = 50;

#[listener]
fn split(_: &Read) -> Vec<Line> {
    (0..LINES).map(|_| Line).collect()
}

#[listener]
async fn answer(_: &Asked) -> Vec<Answer> {
    (0..LINES).map(|_| Answer).collect()
}

#[listener(overlap = "serial")]
async fn reply(_: &Question) -> Vec<Reply> {
    (0..LINES).map(|_| Reply).collect()
}

#[listener(queue = 2)]
async fn file(_: &Reply, stored: &AtomicUsize) {
    tokio::task::yield_now().await;
    stored.fetch_add(1, Ordering::Relaxed);
}

#[listener]
fn nested(_: &Nested, cx: Context<'_>) {
    cx.emit(Read);
}

#[listener(queue = 2)]
fn store(_: &Line, stored: &AtomicUsize, gate: &Mutex<()>) {
    drop(gate.lock());
    stored.fetch_add(1, Ordering::Relaxed);
}

#[listener(queue = 2)]
fn keep(_: &Answer, stored: &AtomicUsize, gate: &Mutex<()>) {
    drop(gate.lock());
    stored.fetch_add(1, Ordering::Relaxed);
}

struct Told {
    bus: Bus,
    stored: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<FailureKind>>>,
    /// Shut while it is locked.
    gate: Arc<Mutex<()>>,
}

/// One thread of tasks, which every wait in a task would stop.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
}

fn bus(change: impl FnOnce(tidings::BusBuilder) -> tidings::BusBuilder) -> Told {
    let stored = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Mutex::new(()));
    let failures = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&failures);
    let builder = Bus::builder()
        .state(Arc::clone(&stored))
        .state(Arc::clone(&gate))
        .on_failure(move |failure| hook.lock().unwrap().push(failure.kind()));
    Told {
        bus: change(builder).build().unwrap(),
        stored,
        failures,
        gate,
    }
}

fn all_were_stored(told: &Told) {
    let Told {
        bus,
        stored,
        failures,
        ..
    } = told;
    let shutdown = bus.shutdown_blocking(Duration::from_secs(30)).unwrap();
    assert!(shutdown.is_clean());
    assert_eq!(*failures.lock().unwrap(), []);
    assert_eq!(stored.load(Ordering::Relaxed), LINES);
}

#[test]
fn a_plain_thread_waits_for_what_its_emission_returned() {
    let told = bus(|builder| builder);
    told.bus.emit(Read);
    all_were_stored(&told);
}

#[test]
fn a_task_waits_for_what_its_emission_returned() {
    let told = bus(|builder| builder);
    futures::executor::block_on(async { told.bus.emit(Read).await });
    all_were_stored(&told);
}

#[test]
fn a_task_waits_for_what_an_async_listener_returned_in_it() {
    let told = bus(|builder| builder);
    futures::executor::block_on(async { told.bus.emit(Asked).await });
    all_were_stored(&told);
}

#[test]
fn a_task_waits_beside_a_runtime_too() {
    let runtime = runtime();
    let told = bus(|builder| builder.runtime(runtime.handle().clone()));
    let report = runtime.block_on(async { told.bus.emit(Read).await });
    // The returned events have reports of their own.
    assert_eq!((report.ran(), report.queued()), (1, 0));
    all_were_stored(&told);
}

#[test]
fn what_a_task_of_the_runtime_returned_waits_in_that_task() {
    let runtime = runtime();
    let told = bus(|builder| builder.runtime(runtime.handle().clone()));
    let shut = told.gate.lock().unwrap();
    // The delivery has ended, and its report is there before there is room.
    let report = runtime.block_on(async { told.bus.emit(Asked).await });
    assert_eq!((report.ran(), report.failed()), (1, 0));
    drop(shut);
    all_were_stored(&told);
}

#[test]
fn what_a_task_that_nobody_awaits_returned_waits_too() {
    let runtime = runtime();
    let told = bus(|builder| builder.runtime(runtime.handle().clone()));
    assert_eq!(told.bus.emit(Asked).report().queued(), 1);
    all_were_stored(&told);
}

#[test]
fn who_waits_for_room_keeps_no_other_delivery_from_its_turn() {
    let runtime = runtime();
    let told = bus(|builder| builder.runtime(runtime.handle().clone()));
    // One thread, one turn at a time, and the queue's worker is a task as well.
    told.bus.emit(Question);
    told.bus.emit(Question);
    let shutdown = told.bus.shutdown_blocking(Duration::from_secs(30)).unwrap();
    assert!(shutdown.is_clean());
    assert_eq!(*told.failures.lock().unwrap(), []);
    assert_eq!(told.stored.load(Ordering::Relaxed), 2 * LINES);
}

#[test]
fn what_still_waits_at_the_end_of_the_bus_is_told() {
    let runtime = runtime();
    let told = bus(|builder| builder.runtime(runtime.handle().clone()));
    let shut = told.gate.lock().unwrap();
    runtime.block_on(async { told.bus.emit(Asked).await });
    let shutdown = told.bus.shutdown_blocking(Duration::ZERO).unwrap();
    let left = &shutdown.left()[0];
    let taken = left.waiting() + left.in_flight().len();
    let failures = || told.failures.lock().unwrap().clone();
    while failures().len() < LINES {
        std::thread::yield_now();
    }
    drop(shut);
    let count = |kind| failures().iter().filter(|other| **other == kind).count();
    assert_eq!(count(FailureKind::Abandoned), taken);
    assert_eq!(count(FailureKind::Closed), LINES - taken);
}

#[cfg(feature = "test")]
#[test]
fn a_test_bus_loses_nothing_of_it() {
    let stored = Arc::new(AtomicUsize::new(0));
    let bus = tidings::test::TestBus::builder()
        .state(Arc::clone(&stored))
        .state(Mutex::new(()))
        .build();
    bus.emit(Asked);
    bus.emit(Question);
    bus.settle_blocking();
    bus.block_on(async {
        bus.emit(Asked).await;
        bus.emit(Question).await;
    });
    bus.settle_blocking();
    assert_eq!(stored.load(Ordering::Relaxed), 4 * LINES);
}

#[test]
fn who_is_dropped_while_it_waits_for_room_is_told() {
    let told = bus(|builder| builder);
    let shut = told.gate.lock().unwrap();
    // One may be with the worker, and two wait.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..6 {
            let mut emission = told.bus.emit(Line).into_future();
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut emission).poll(cx)));
            drop(polled.await);
        }
    });
    let lost = told.failures.lock().unwrap().clone();
    assert!(lost.len() >= 3, "{lost:?}");
    assert!(lost.iter().all(|kind| *kind == FailureKind::QueueFull));
    drop(shut);
    let shutdown = told.bus.shutdown_blocking(Duration::from_secs(30));
    assert!(shutdown.unwrap().is_clean());
    assert_eq!(told.stored.load(Ordering::Relaxed), 6 - lost.len());
}

#[test]
fn inside_a_delivery_nobody_waits() {
    let told = bus(|builder| builder);
    let shut = told.gate.lock().unwrap();
    told.bus.emit(Nested);
    drop(shut);
    let shutdown = told.bus.shutdown_blocking(Duration::from_secs(30));
    assert!(shutdown.unwrap().is_clean());
    let failures = told.failures.lock().unwrap();
    assert!(failures.iter().all(|kind| *kind == FailureKind::QueueFull));
    // Two wait, and one may be with the worker.
    let stored = told.stored.load(Ordering::Relaxed);
    assert!(stored <= 3 && stored + failures.len() == LINES, "{stored}");
}
