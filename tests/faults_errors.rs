//! Users' code that fails in places where nobody expects it: an error without words, closures of the attribute, a future that is dropped.
#![cfg(feature = "tokio")]

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tidings::{Bus, Failure, FailureKind, QueueStats, event, listener};

const SOON: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
enum Unspeakable {
    Panics,
    Refuses,
}

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unspeakable::Panics => panic!("no words"),
            Unspeakable::Refuses => Err(fmt::Error),
        }
    }
}

impl std::error::Error for Unspeakable {}

#[event]
struct Booked(Unspeakable);

#[listener]
fn inline(e: &Booked) -> Result<(), Unspeakable> {
    Err(e.0)
}

#[listener]
async fn spawned(e: &Booked) -> Result<(), Unspeakable> {
    Err(e.0)
}

#[listener(queue = 4, retry = 2, backoff = "1ms..1ms")]
fn on_a_thread(e: &Booked) -> Result<(), Unspeakable> {
    Err(e.0)
}

#[listener(queue = 4, retry = 2, backoff = "1ms..1ms")]
async fn in_a_task(e: &Booked) -> Result<(), Unspeakable> {
    Err(e.0)
}

#[event]
struct Judged;

#[listener(queue = 4, retry = 2, backoff = "1ms..1ms", retry_if = |_| panic!("no judgement"))]
fn judged(_: &Judged) -> Result<(), &'static str> {
    Err("the bank is closed")
}

#[event]
struct Sorted {
    number: u32,
}

#[listener(queue = 4, workers = 2, key = |e| Sullen(e.number))]
fn sorted(_: &Sorted, tries: &AtomicU32) {
    tries.fetch_add(1, Ordering::SeqCst);
}

/// A key of which one cannot be hashed.
struct Sullen(u32);

impl std::hash::Hash for Sullen {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        assert!(self.0 != 13, "no key");
        self.0.hash(state);
    }
}

/// Where a future panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Polled,
    Dropped,
}

struct Fragile(Where);

impl Future for Fragile {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        assert!(self.0 == Where::Dropped, "polled");
        Poll::Ready(())
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.0 == Where::Polled, "dropped");
    }
}

#[event]
struct Broken(Where);

#[listener]
async fn breaks(e: &Broken) {
    Fragile(e.0).await;
}

#[listener(queue = 4)]
async fn breaks_behind_a_queue(e: &Broken) {
    Fragile(e.0).await;
}

#[event]
struct Hung;

#[listener(timeout = "1ms")]
async fn hangs(_: &Hung) {
    let _fragile = Fragile(Where::Dropped);
    pending::<()>().await;
}

#[listener(queue = 4, timeout = "1ms")]
async fn hangs_behind_a_queue(_: &Hung) {
    let _fragile = Fragile(Where::Dropped);
    pending::<()>().await;
}

type Told = Mutex<Vec<(String, FailureKind, String)>>;

/// What the hook is told of one event, by listener, with the figures of the queues.
fn told(emit: impl FnOnce(&Bus)) -> (Vec<(String, FailureKind, String)>, Vec<QueueStats>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let told = Arc::new(Told::default());
    let hook = Arc::clone(&told);
    let bus = Bus::builder()
        .state(AtomicU32::new(0))
        .runtime(runtime.handle().clone())
        .on_failure(move |failure: &Failure| {
            let listener = failure.listener().map_or("", |l| l.function());
            let line = (
                listener.to_owned(),
                failure.kind(),
                failure.message().to_owned(),
            );
            hook.lock().unwrap().push(line);
        })
        .build()
        .unwrap();
    emit(&bus);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let queues = bus.queues().into_iter();
    let stats = queues.map(|(_, figures)| figures).filter(|figures| {
        figures.delivered + figures.failed + figures.retried + figures.abandoned > 0
    });
    let mut told = std::mem::take(&mut *told.lock().unwrap());
    told.sort_by(|a, b| a.0.cmp(&b.0));
    (told, stats.collect())
}

#[test]
fn an_error_without_words_is_told_in_every_mode_and_tried_again() {
    for (error, words) in [
        (Unspeakable::Panics, "no words"),
        (
            Unspeakable::Refuses,
            "a Display implementation returned an error unexpectedly: Error",
        ),
    ] {
        let (told, stats) = told(|bus| drop(bus.emit(Booked(error))));

        let listeners: Vec<_> = told.iter().map(|(listener, _, _)| listener).collect();
        assert_eq!(listeners, ["in_a_task", "inline", "on_a_thread", "spawned"]);
        for (_, kind, message) in &told {
            assert_eq!(*kind, FailureKind::Error);
            assert_eq!(*message, format!("the error's `Display` panicked: {words}"));
        }
        let tries: Vec<_> = stats.iter().map(|s| (s.retried, s.failed)).collect();
        assert_eq!(tries, [(2, 1), (2, 1)]);
    }
}

#[test]
fn an_error_whose_judge_panics_is_told_and_not_tried_again() {
    let (told, stats) = told(|bus| drop(bus.emit(Judged)));

    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].1, told[0].2.as_str()),
        (FailureKind::Error, "the bank is closed")
    );
    assert_eq!((stats[0].retried, stats[0].failed), (0, 1));
}

#[test]
fn a_key_that_panics_fails_its_emission_and_no_other() {
    let (told, stats) = told(|bus| {
        let report = bus.emit(Sorted { number: 13 }).report();
        assert_eq!((report.failed(), report.queued()), (1, 0));
        assert_eq!(bus.emit(Sorted { number: 7 }).report().queued(), 1);
    });

    assert_eq!(told.len(), 1);
    assert_eq!(told[0].2, "no key");
    assert_eq!(stats[0].delivered, 1);
}

#[test]
fn a_future_that_panics_where_it_is_polled_or_dropped_is_one_failure() {
    for (place, words) in [(Where::Polled, "polled"), (Where::Dropped, "dropped")] {
        let (told, stats) = told(|bus| drop(bus.emit(Broken(place))));

        let listeners: Vec<_> = told.iter().map(|(listener, _, _)| listener).collect();
        assert_eq!(listeners, ["breaks", "breaks_behind_a_queue"], "{place:?}");
        for (_, kind, message) in &told {
            assert_eq!((*kind, message.as_str()), (FailureKind::Panic, words));
        }
        assert_eq!(stats[0].failed, 1);
    }
}

#[test]
fn a_future_that_panics_when_its_timeout_drops_it_is_one_failure() {
    let (told, stats) = told(|bus| drop(bus.emit(Hung)));

    let listeners: Vec<_> = told.iter().map(|(listener, _, _)| listener).collect();
    assert_eq!(listeners, ["hangs", "hangs_behind_a_queue"]);
    assert!(
        told.iter()
            .all(|(_, kind, _)| *kind == FailureKind::TimedOut)
    );
    assert_eq!(stats[0].failed, 1);
}
