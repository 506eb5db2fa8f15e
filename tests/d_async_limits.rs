//! D6: how many deliveries of one async listener run at a time, and for how long, as its attribute says.
#![cfg(feature = "tokio")]

mod support;

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::Recorder;
use tidings::{Bus, BusBuilder, Failure, FailureKind, Overlap, Report, emit, event, listener};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

#[event]
struct Placed(u32);

const TWO: usize = 2;

#[listener(limit = TWO)]
async fn few(e: &Placed, gate: &Semaphore, log: &Recorder) {
    log.note(format!("{} begins", e.0));
    gate.acquire().await.unwrap().forget();
    log.note(format!("{} ends", e.0));
}

#[event]
struct Saved(u32);

#[listener(overlap = "serial", limit = 3)]
async fn serial(e: &Saved, gate: &Semaphore, log: &Recorder) {
    log.note(format!("{} begins", e.0));
    gate.acquire().await.unwrap().forget();
    log.note(format!("{} ends", e.0));
}

#[event]
struct Typed(u32);

#[listener(overlap = "latest")]
async fn latest(e: &Typed, gate: &Semaphore, log: &Recorder) {
    let _told = Told(e.0, log);
    gate.acquire().await.unwrap().forget();
    log.note(format!("{} ends", e.0));
}

struct Told<'a>(u32, &'a Recorder);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.1.note(format!("{} is let go", self.0));
    }
}

#[event]
struct Pinged(u32);

#[listener(overlap = "drop")]
async fn alone(e: &Pinged, gate: &Semaphore, log: &Recorder) {
    gate.acquire().await.unwrap().forget();
    log.note(format!("{} ends", e.0));
}

#[event]
struct Asked;

#[listener(timeout = "5s")]
async fn slow(_: &Asked, log: &Recorder) {
    let _told = Told(0, log);
    pending::<()>().await;
}

#[event]
struct Looped(u32);

/// Awaits its own event, which it would have to end for.
#[listener(overlap = "serial")]
async fn waits_for_itself(e: &Looped, log: &Recorder) {
    log.note(format!("{} begins", e.0));
    if e.0 > 0 {
        let report = emit(Looped(e.0 - 1)).await;
        log.note(format!("{} goes on: {report}", e.0));
    }
}

struct Fixture {
    bus: Bus,
    gate: Arc<Semaphore>,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<FailureKind>>>,
}

impl Fixture {
    fn new(change: impl FnOnce(BusBuilder) -> BusBuilder) -> Self {
        let (log, gate) = (Arc::new(Recorder::default()), Arc::new(Semaphore::new(0)));
        let told = Arc::new(Mutex::new(Vec::new()));
        let hook = Arc::clone(&told);
        let builder = Bus::builder()
            .state(Arc::clone(&log))
            .state(Arc::clone(&gate))
            .on_failure(move |failure: &Failure| hook.lock().unwrap().push(failure.kind()));
        Self {
            bus: change(builder).build().unwrap(),
            gate,
            log,
            told,
        }
    }

    fn on_runtime() -> Self {
        Self::new(|builder| builder.runtime(Handle::current()))
    }
}

fn counts(report: &Report) -> [usize; 4] {
    [
        report.ran(),
        report.skipped(),
        report.failed(),
        report.queued(),
    ]
}

/// Lets every task run until it waits.
async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test);
}

#[test]
fn d6_beyond_the_limit_a_dropped_emission_is_overloaded() {
    run(async {
        let Fixture {
            bus,
            gate,
            log,
            told,
        } = Fixture::on_runtime();
        let reports: Vec<_> = (1..=3).map(|n| bus.emit(Placed(n)).report()).collect();
        assert_eq!(
            reports.iter().map(counts).collect::<Vec<_>>(),
            [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0]]
        );
        let failure = &reports[2].failures()[0];
        assert_eq!(failure.kind(), FailureKind::Overloaded);
        assert!(failure.message().contains("(2)"), "{failure}");
        assert_eq!(*told.lock().unwrap(), [FailureKind::Overloaded]);
        settle().await;
        gate.add_permits(2);
        settle().await;
        assert_eq!(log.take(), ["1 begins", "2 begins", "1 ends", "2 ends"]);
        assert_eq!(bus.emit(Placed(4)).report().queued(), 1);
    });
}

#[test]
fn d6_beyond_the_limit_an_awaited_emission_waits() {
    run(async {
        let Fixture {
            bus,
            gate,
            log,
            told,
            ..
        } = Fixture::on_runtime();
        drop((bus.emit(Placed(1)), bus.emit(Placed(2))));
        let third = tokio::spawn({
            let bus = bus.clone();
            async move { bus.emit(Placed(3)).await }
        });
        settle().await;
        assert_eq!(log.take(), ["1 begins", "2 begins"]);
        gate.add_permits(1);
        settle().await;
        assert_eq!(log.take(), ["1 ends", "3 begins"]);
        gate.add_permits(2);
        assert_eq!(counts(&third.await.unwrap()), [1, 0, 0, 0]);
        assert!(told.lock().unwrap().is_empty());
    });
}

#[test]
fn d6_without_a_runtime_the_limit_holds_among_awaiting_tasks() {
    run(async {
        let Fixture { bus, gate, log, .. } = Fixture::new(|builder| builder);
        let tasks: Vec<_> = (1..=3)
            .map(|n| {
                let bus = bus.clone();
                tokio::spawn(async move { bus.emit(Placed(n)).await })
            })
            .collect();
        settle().await;
        assert_eq!(log.take(), ["1 begins", "2 begins"]);
        // One that waits is given up; who comes after it does not wait for it.
        tasks[2].abort();
        let fourth = tokio::spawn({
            let bus = bus.clone();
            async move { bus.emit(Placed(4)).await }
        });
        settle().await;
        gate.add_permits(1);
        settle().await;
        assert_eq!(log.take(), ["1 ends", "4 begins"]);
        gate.add_permits(2);
        assert_eq!(counts(&fourth.await.unwrap()), [1, 0, 0, 0]);
    });
}

#[test]
fn d6_serial_deliveries_run_one_after_another_in_the_order_of_the_emissions() {
    run(async {
        let Fixture {
            bus,
            gate,
            log,
            told,
        } = Fixture::on_runtime();
        let reports: Vec<_> = (1..=4).map(|n| bus.emit(Saved(n)).report()).collect();
        assert_eq!(
            reports.iter().map(Report::queued).collect::<Vec<_>>(),
            [1, 1, 1, 0]
        );
        assert_eq!(*told.lock().unwrap(), [FailureKind::Overloaded]);
        gate.add_permits(3);
        settle().await;
        assert_eq!(
            log.take(),
            [
                "1 begins", "1 ends", "2 begins", "2 ends", "3 begins", "3 ends"
            ]
        );
    });
}

#[test]
fn d6_an_emission_inside_a_delivery_does_not_wait_for_a_turn() {
    run(async {
        let Fixture { bus, log, told, .. } = Fixture::on_runtime();
        let report = bus.emit(Looped(2)).await;
        settle().await;
        assert_eq!(counts(&report), [1, 0, 0, 0]);
        assert_eq!(
            log.take(),
            [
                "2 begins",
                "2 goes on: 0 ran, 0 skipped, 0 failed, 1 queued",
                "1 begins",
                "1 goes on: 0 ran, 0 skipped, 0 failed, 1 queued",
                "0 begins"
            ]
        );
        assert!(told.lock().unwrap().is_empty());
    });
}

#[test]
fn d6_without_a_runtime_waiting_for_oneself_is_overloaded() {
    run(async {
        let Fixture { bus, log, told, .. } = Fixture::new(|builder| builder);
        let report = bus.emit(Looped(1)).await;
        assert_eq!(counts(&report), [1, 0, 0, 0]);
        assert_eq!(*told.lock().unwrap(), [FailureKind::Overloaded]);
        let lines = log.take();
        assert_eq!(lines[0], "1 begins");
        assert!(
            lines[1].starts_with("1 goes on: 0 ran, 0 skipped, 1 failed, 0 queued"),
            "{lines:?}"
        );
    });
}

#[test]
fn d6_latest_ends_the_delivery_before() {
    run(async {
        let Fixture {
            bus,
            gate,
            log,
            told,
        } = Fixture::on_runtime();
        let tasks: Vec<_> = (1..=3)
            .map(|n| {
                let bus = bus.clone();
                tokio::spawn(async move { bus.emit(Typed(n)).await })
            })
            .collect();
        settle().await;
        gate.add_permits(1);
        let mut reports = Vec::new();
        for task in tasks {
            reports.push(counts(&task.await.unwrap()));
        }
        assert_eq!(reports, [[0, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]);
        let lines = log.take();
        assert_eq!(lines[lines.len() - 2..], ["3 ends", "3 is let go"]);
        assert!(
            !lines
                .iter()
                .any(|line| line == "1 ends" || line == "2 ends")
        );
        assert!(told.lock().unwrap().is_empty());
    });
}

#[test]
fn d6_drop_skips_while_one_runs() {
    run(async {
        let Fixture {
            bus,
            gate,
            log,
            told,
            ..
        } = Fixture::on_runtime();
        let reports = [1, 2].map(|n| counts(&bus.emit(Pinged(n)).report()));
        assert_eq!(reports, [[0, 0, 0, 1], [0, 1, 0, 0]]);
        gate.add_permits(2);
        settle().await;
        assert_eq!(counts(&bus.emit(Pinged(3)).await), [1, 0, 0, 0]);
        assert_eq!(log.take(), ["1 ends", "3 ends"]);
        assert!(told.lock().unwrap().is_empty());
    });
}

#[test]
fn d6_a_timeout_ends_the_future_at_an_await_and_is_reported() {
    run(async {
        for on_runtime in [true, false] {
            let Fixture { bus, log, told, .. } = Fixture::new(|builder| {
                if on_runtime {
                    builder.runtime(Handle::current())
                } else {
                    // The real clock: the attribute's five seconds would be waited for.
                    builder.tune(slow, |policy| policy.timeout(Duration::from_millis(20)))
                }
            });
            let report = bus.emit(Asked).await;
            assert_eq!(counts(&report), [0, 0, 1, 0]);
            let failure = &report.failures()[0];
            assert_eq!(failure.kind(), FailureKind::TimedOut);
            let limit = if on_runtime { "5s" } else { "20ms" };
            assert!(failure.message().contains(limit), "{failure}");
            assert_eq!(log.take(), ["0 is let go"]);
            assert_eq!(*told.lock().unwrap(), [FailureKind::TimedOut]);
        }
    });
}

#[test]
fn d6_what_the_attribute_says_can_be_tuned() {
    run(async {
        let Fixture { bus, gate, .. } = Fixture::new(|builder| {
            builder
                .runtime(Handle::current())
                .tune((few, serial), |policy| {
                    policy.limit(1).overlap(Overlap::Parallel)
                })
        });
        let reports = [1, 2].map(|n| {
            [
                bus.emit(Placed(n)).report().queued(),
                bus.emit(Saved(n)).report().queued(),
            ]
        });
        assert_eq!(reports, [[1, 1], [0, 0]]);
        gate.add_permits(2);
        settle().await;
    });
}
