//! The test kit on other clocks than its own: tokio's, paused or not, and real threads.
#![cfg(feature = "test")]

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{event, listener};

#[event]
struct Placed;

#[event]
struct Paid;

#[event]
struct Asked;

#[listener(queue = 16, retry = 3, backoff = "1h..1h")]
async fn charge(_: &Placed) -> Result<Paid, String> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    Ok(Paid)
}

#[listener(queue = 16)]
fn book(_: &Paid) {}

/// Waits until the test lets it go.
#[listener(queue = 16, id = "bank.ask")]
fn ask(_: &Asked, go: &Mutex<Receiver<()>>) {
    let go = go.lock().unwrap_or_else(PoisonError::into_inner);
    // A test that is over has dropped the other end.
    let _ = go.recv();
}

#[tokio::test(start_paused = true)]
async fn the_paused_clock_of_tokio_passes_by_itself() {
    let bus = TestBus::builder()
        .without(ask)
        .runtime(tokio::runtime::Handle::current())
        .build();
    bus.fail(charge).times(2);
    let began = tokio::time::Instant::now();
    bus.emit(Placed).await;
    let run = bus.settle().await;
    run.heard_by(charge).once().tries(3).ok();
    run.heard_by(book).once().ok();
    assert!(began.elapsed() >= Duration::from_secs(7260));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_on_other_threads_are_waited_for() {
    let bus = TestBus::builder()
        .without(ask)
        .replace(charge, |_: &Placed| Paid)
        .runtime(tokio::runtime::Handle::current())
        .build();
    for _ in 0..100 {
        bus.emit(Placed).await;
        let run = bus.settle().await;
        run.heard_by(charge).once().ok();
        run.heard_by(book).once().ok();
    }
}

#[tokio::test]
async fn a_thread_that_runs_the_tasks_is_not_parked() {
    let bus = TestBus::builder()
        .without(ask)
        .runtime(tokio::runtime::Handle::current())
        .build();
    let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bus.settle_blocking()));
    let panic = settled.expect_err("it would wait for itself");
    let said = panic.downcast_ref::<&str>().expect("a text");
    assert!(said.contains("`.await` instead"), "{said}");
}

#[test]
fn queues_on_real_threads_are_waited_for_and_their_backoff_is_virtual() {
    let bus = TestBus::builder()
        .without((ask, charge))
        .tune(book, |p| {
            p.retry(2)
                .backoff(Duration::from_secs(3600), Duration::from_secs(3600))
        })
        .real_threads()
        .build();
    bus.fail(book).times(2);
    let here = std::thread::current().id();
    bus.emit(Paid);
    let run = bus.settle_blocking();
    run.heard_by(book).once().tries(3).ok();
    assert_eq!(here, std::thread::current().id());
}

#[test]
fn at_the_deadline_what_is_open_is_named_with_its_place() {
    let (go, wait) = channel::<()>();
    let bus = TestBus::builder()
        .state(Mutex::new(wait))
        .deadline(Duration::from_millis(50))
        .real_threads()
        .build();
    bus.emit(Asked);
    bus.emit(Asked);
    let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bus.settle_blocking()));
    let panic = settled.expect_err("two are open");
    let said = panic.downcast_ref::<String>().expect("a text");
    let expected = [
        "`settle` at tests/kit_clocks.rs:",
        "waited 50ms for deliveries that did not end",
        "bank.ask: 1 waiting, 1 in flight",
        "declared at tests/kit_clocks.rs:",
        "timeline:",
        "bank.ask: has not ended",
    ];
    for line in expected {
        assert!(said.contains(line), "{line} is not in:\n{said}");
    }
    drop(go);
    bus.settle_blocking().heard_by(ask).times(2).ok();
}
