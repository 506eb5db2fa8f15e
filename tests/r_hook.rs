//! R3: every failure reaches the hook, and a hook that fails does no harm.

#[path = "support/child.rs"]
mod child;
mod support;

use std::future::IntoFuture;
use std::sync::Arc;

use futures::executor::block_on;
use support::Recorder;
use tidings::{Bus, Failure, FailureKind, emit, event, listener};

#[event]
struct Placed;

#[listener]
fn charge(_: &Placed) -> Result<(), String> {
    Err("no card".to_owned())
}

#[listener]
fn pack(_: &Placed) {
    panic!("no box");
}

#[listener]
async fn confirm(_: &Placed) -> Result<(), String> {
    Err("no address".to_owned())
}

#[listener]
fn ship(_: &Placed) -> Shipped {
    Shipped
}

#[event]
struct Shipped;

#[listener]
fn track(_: &Shipped) -> Result<(), String> {
    Err("no carrier".to_owned())
}

/// What hooks emit; its listener fails as well.
#[event]
struct Alarm;

#[listener]
fn ring(_: &Alarm, log: &Recorder) -> Result<(), String> {
    log.note("ring");
    Err("no bell".to_owned())
}

#[event]
struct Quiet;

#[listener]
fn stay_quiet(_: &Quiet, log: &Recorder) {
    log.note("quiet");
}

fn bus(hook: impl Fn(&Failure) + Send + Sync + 'static) -> (Bus, Arc<Recorder>) {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .on_failure(hook)
        .build()
        .unwrap();
    (bus, log)
}

#[test]
fn r3_every_failure_reaches_the_hook_once() {
    let told = Arc::new(Recorder::default());
    let hook = Arc::clone(&told);
    let (bus, _) = bus(move |failure: &Failure| hook.note(failure.to_string()));

    let report = block_on(bus.emit(Placed).into_future());

    let told = told.take();
    let of_the_report: Vec<_> = report.failures().iter().map(ToString::to_string).collect();
    assert_eq!(of_the_report.len(), 3);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(of_the_report.iter().all(|failure| told.contains(failure)));
    assert!(
        told.iter()
            .any(|failure| failure.starts_with("r_hook::track (")
                && failure.ends_with(": error: no carrier"))
    );
}

#[test]
fn r3_a_hook_that_panics_ends_neither_the_emission_nor_the_report() {
    if child::is_child() {
        let (bus, log) = bus(|failure: &Failure| panic!("no pager for {}", failure.kind()));
        let report = bus.emit(Alarm).report();
        assert_eq!(report.failures()[0].message(), "no bell");
        assert_eq!(bus.emit(Alarm).report().failed(), 1);
        assert_eq!(log.take(), ["ring", "ring"]);
        return;
    }

    let printed =
        child::printed_by("r3_a_hook_that_panics_ends_neither_the_emission_nor_the_report");

    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(printed[0].starts_with(
        "tidings: the `on_failure` hook panicked: no pager for error; it was told: r_hook::ring ("
    ));
    assert!(printed[0].ends_with("): error: no bell"), "{printed:?}");
}

#[test]
fn r3_a_hook_that_emits_what_fails_is_not_told_of_that() {
    if child::is_child() {
        let told = Arc::new(Recorder::default());
        let hook = Arc::clone(&told);
        let (bus, log) = bus(move |failure: &Failure| {
            hook.note(failure.message());
            let report = emit(Alarm).report();
            assert_eq!(report.failures()[0].kind(), FailureKind::Error);
        });
        bus.emit(Shipped);
        assert_eq!(
            (told.take(), log.take()),
            (vec!["no carrier".to_owned()], vec!["ring".to_owned()])
        );
        return;
    }

    let printed = child::printed_by("r3_a_hook_that_emits_what_fails_is_not_told_of_that");

    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].starts_with("tidings: in the `on_failure` hook: r_hook::ring ("));
    assert!(printed[0].ends_with("): error: no bell"));
}

#[test]
fn r3_the_next_failure_reaches_a_hook_that_failed_before() {
    let told = Arc::new(Recorder::default());
    let hook = Arc::clone(&told);
    let (bus, _) = bus(move |failure: &Failure| {
        hook.note(failure.message());
        panic!("the hook");
    });

    bus.emit(Shipped);
    bus.emit(Shipped);

    assert_eq!(told.take(), ["no carrier", "no carrier"]);
}

#[test]
fn r3_a_hook_may_emit_what_does_not_fail() {
    let (bus, log) = bus(|_: &Failure| drop(emit(Quiet)));

    bus.emit(Shipped);

    assert_eq!(log.take(), ["quiet"]);
}

#[test]
fn r3_the_hook_runs_on_the_thread_where_the_failure_happened() {
    let told = Arc::new(Recorder::default());
    let hook = Arc::clone(&told);
    let (bus, _) = bus(move |_: &Failure| hook.note(format!("{:?}", std::thread::current().id())));

    let there = std::thread::spawn(move || {
        bus.emit(Shipped);
        std::thread::current().id()
    });

    let there = there.join().unwrap();

    assert_eq!(told.take(), [format!("{there:?}")]);
}
