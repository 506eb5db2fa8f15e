//! The end of a bus: what was accepted is delivered, what is left is named, what comes later is refused.
#![cfg(feature = "tokio")]

mod support;

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::Recorder;
use tidings::{
    Bus, BusBuilder, Context, Event, Failure, FailureKind, Report, Shutdown, WouldDeadlock, event,
    listener,
};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

const SOON: Duration = Duration::from_secs(60);

#[event]
struct Placed(u32);

#[listener]
async fn confirm(e: &Placed, gate: &Semaphore, log: &Recorder, cx: Context<'_>) -> Confirmed {
    gate.acquire().await.unwrap().forget();
    log.note(format!("confirm {}", e.0));
    cx.emit(Confirmed("emitted"));
    Confirmed("returned")
}

#[event]
struct Confirmed(&'static str);

#[listener]
async fn archive(e: &Confirmed, log: &Recorder) {
    yield_now().await;
    log.note(format!("archive what was {}", e.0));
}

#[event]
struct Stuck;

#[listener]
async fn never_ends(_: &Stuck) {
    pending::<()>().await;
}

#[event]
struct Queued(#[expect(dead_code, reason = "a payload")] u32);

#[listener(overlap = "serial")]
async fn one_by_one(_: &Queued) {
    pending::<()>().await;
}

#[event]
struct Closing;

#[listener]
async fn closes_its_bus(_: &Closing, cx: Context<'_>, log: &Recorder) {
    let bus = cx.bus();
    let awaited = bus.shutdown(SOON).await.unwrap_err();
    let parked = bus.shutdown_blocking(SOON).unwrap_err();
    log.note(format!("{}", awaited == parked));
}

#[listener(early)]
fn closes_its_bus_inline(_: &Closing, cx: Context<'_>) -> Result<(), WouldDeadlock> {
    cx.bus().shutdown_blocking(SOON).map(drop)
}

#[event]
struct Inline;

#[listener]
fn inline(_: &Inline) {}

/// Nobody hears it, but it has something to drop.
#[event]
struct Unheard(#[expect(dead_code, reason = "held to be dropped")] Arc<()>);

#[event("generic")]
struct Generic<T: Send + Sync>(T);

#[derive(Default)]
struct Told(Mutex<Vec<(FailureKind, Option<String>)>>);

impl Told {
    fn kinds(&self) -> Vec<FailureKind> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|(kind, _)| *kind)
            .collect()
    }
}

struct Fixture {
    bus: Bus,
    gate: Arc<Semaphore>,
    log: Arc<Recorder>,
    told: Arc<Told>,
}

fn fixture(handle: Option<Handle>) -> Fixture {
    let (log, gate) = (Arc::new(Recorder::default()), Arc::new(Semaphore::new(0)));
    let told = Arc::new(Told::default());
    let hook = Arc::clone(&told);
    let builder = Bus::builder()
        .state(Arc::clone(&log))
        .state(Arc::clone(&gate))
        .on_failure(move |failure: &Failure| {
            let listener = failure.listener().map(|l| l.function().to_owned());
            hook.0.lock().unwrap().push((failure.kind(), listener));
        });
    let builder = match handle {
        Some(handle) => BusBuilder::runtime(builder, handle),
        None => builder,
    };
    Fixture {
        bus: builder.build().unwrap(),
        gate,
        log,
        told,
    }
}

/// On one thread whose clock goes on when nothing else can.
fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test);
}

async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}

fn left(shutdown: &Shutdown) -> Vec<(&'static str, usize, usize)> {
    let left = shutdown.left().iter();
    left.map(|left| {
        (
            left.listener().function(),
            left.waiting(),
            left.in_flight().len(),
        )
    })
    .collect()
}

#[test]
fn what_was_accepted_is_delivered_with_all_that_follows_from_it() {
    run(async {
        let Fixture {
            bus,
            gate,
            log,
            told,
        } = fixture(Some(Handle::current()));
        bus.emit(Placed(1));
        bus.emit(Placed(2));
        let shutdown = tokio::spawn(bus.shutdown(SOON));
        settle().await;
        assert!(log.take().is_empty());

        // From outside nothing is accepted any more.
        let report = bus.emit(Placed(3)).report();
        assert_eq!(report.failures()[0].kind(), FailureKind::Closed);
        assert_eq!(report.failed(), 1);

        gate.add_permits(2);
        let shutdown = shutdown.await.unwrap().unwrap();
        assert!(shutdown.is_clean(), "{shutdown}");
        assert_eq!(shutdown.to_string(), "everything was delivered");
        let mut lines = log.take();
        lines.sort();
        assert_eq!(
            lines,
            [
                "archive what was emitted",
                "archive what was emitted",
                "archive what was returned",
                "archive what was returned",
                "confirm 1",
                "confirm 2"
            ]
        );
        assert_eq!(told.kinds(), [FailureKind::Closed]);
    });
}

#[test]
fn what_is_left_at_the_deadline_is_named_and_its_awaiters_are_told() {
    run(async {
        let Fixture { bus, told, .. } = fixture(Some(Handle::current()));
        let awaiting = tokio::spawn({
            let bus = bus.clone();
            async move { bus.emit(Stuck).await }
        });
        bus.emit(Stuck);
        for n in 0..3 {
            bus.emit(Queued(n));
        }
        settle().await;
        tokio::time::advance(Duration::from_secs(5)).await;

        let shutdown = bus.shutdown(SOON).await.unwrap();

        assert_eq!(
            left(&shutdown),
            [("never_ends", 0, 2), ("one_by_one", 2, 1)]
        );
        for left in shutdown.left() {
            assert_eq!(left.in_flight()[0], Duration::from_secs(65));
        }
        assert_eq!(
            shutdown.to_string(),
            "not delivered:\n  shutdown::never_ends: 0 waiting, 2 in flight, the oldest for 65.0s\n  shutdown::one_by_one: 2 waiting, 1 in flight, the oldest for 65.0s"
        );
        let report = awaiting.await.unwrap();
        assert_eq!((report.ran(), report.failed()), (0, 1));
        let failure = &report.failures()[0];
        assert_eq!(failure.kind(), FailureKind::Abandoned);
        assert_eq!(
            failure.message(),
            "the bus was shut down before the delivery ended"
        );
        assert_eq!(told.kinds(), [FailureKind::Abandoned; 5]);
    });
    // The runtime is gone, and with it the futures: nothing is told twice.
}

#[test]
fn what_was_given_up_is_not_told_again_when_the_runtime_goes() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let Fixture { bus, told, .. } = fixture(Some(runtime.handle().clone()));
    bus.emit(Stuck);
    let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(left(&shutdown), [("never_ends", 0, 1)]);
    drop(runtime);
    assert_eq!(told.kinds(), [FailureKind::Abandoned]);
}

#[test]
fn every_way_to_emit_is_closed_afterwards() {
    let Fixture { bus, told, .. } = fixture(None);
    assert_eq!(bus.emit(Inline).report().ran(), 1);
    let witness = Arc::new(());
    let subscription = bus.on(|_: &Inline| {});
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    drop(subscription);

    let kind = |report: &Report| (report.failed(), report.failures()[0].kind());
    let reports = [
        bus.emit(Inline).report(),
        bus.emit(Unheard(Arc::clone(&witness))).report(),
        bus.emit(Generic(1_u8)).report(),
        bus.emit(Stuck).report(),
    ];
    for report in &reports {
        assert_eq!(kind(report), (1, FailureKind::Closed), "{report}");
    }
    assert_eq!(
        reports[0].failures()[0].message(),
        format!(
            "`{}` was emitted after the bus was shut down",
            Inline::TOPIC
        )
    );
    assert_eq!(Arc::strong_count(&witness), 1);
    assert_eq!(told.kinds(), [FailureKind::Closed; 4]);
}

#[test]
fn a_second_shutdown_is_harmless() {
    let Fixture { bus, told, .. } = fixture(None);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let bus = bus.clone();
            thread::spawn(move || bus.shutdown_blocking(SOON).unwrap().is_clean())
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    assert!(bus.shutdown_blocking(Duration::ZERO).unwrap().is_clean());
    assert!(told.kinds().is_empty());
}

#[test]
fn inside_a_delivery_it_is_refused_for_the_deadlock_it_would_be() {
    run(async {
        let Fixture { bus, log, told, .. } = fixture(Some(Handle::current()));
        let report = bus.emit(Closing).await;
        assert_eq!((report.ran(), report.failed()), (1, 1));
        assert!(
            report.failures()[0]
                .message()
                .contains("outside of every listener")
        );
        assert_eq!(log.take(), ["true"]);
        // The bus is still open.
        assert_eq!(bus.emit(Inline).report().ran(), 1);
        assert_eq!(told.kinds(), [FailureKind::Error]);
        // On a thread of the runtime the tasks could not end.
        assert!(bus.shutdown_blocking(SOON).is_err());
    });
}

#[test]
fn a_dropped_guard_waits_for_what_was_accepted() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let Fixture {
        bus,
        gate,
        log,
        told,
    } = fixture(Some(runtime.handle().clone()));
    let other = bus.clone();
    let installed = bus.install().unwrap().drain_for(SOON);
    tidings::emit(Placed(1));
    let opener = thread::spawn(move || gate.add_permits(1));
    drop(installed);
    opener.join().unwrap();
    assert_eq!(log.take().len(), 3);
    // It is taken out, and not closed: others may hold it.
    assert_eq!(other.emit(Inline).report().ran(), 1);

    let installed = other.install().unwrap().drain_for(Duration::ZERO);
    tidings::emit(Stuck);
    drop(installed);
    assert_eq!(told.kinds(), [FailureKind::Abandoned]);
}
