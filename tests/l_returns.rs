//! L3: what a listener returns, and what becomes of it.

use std::num::ParseIntError;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use tidings::{AnyEvent, Bus, FailureKind, ListenerSet, event, listener};

#[event("returns.start", stoppable)]
struct Start(&'static str);

#[event("returns.one")]
struct One;

#[event("returns.two")]
struct Two;

type Log = Mutex<Vec<&'static str>>;

#[listener("returns.*", early)]
fn heard(e: &AnyEvent<'_>, log: &Log) {
    log.lock().unwrap().push(e.topic());
}

#[listener(late)]
fn last(_: &Start, log: &Log) {
    log.lock().unwrap().push("last");
}

#[listener]
fn event(_: &Start) -> One {
    One
}

#[listener]
fn option(e: &Start) -> Option<One> {
    (e.0 == "some").then_some(One)
}

#[listener]
fn vec(_: &Start) -> Vec<Two> {
    vec![Two, Two]
}

#[listener]
fn tuple(_: &Start) -> (Two, Option<One>, Vec<One>) {
    (Two, Some(One), vec![One])
}

#[listener]
fn parse(e: &Start) -> Result<One, ParseIntError> {
    e.0.parse::<u8>().map(|_| One)
}

#[listener]
fn boxed(e: &Start) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if e.0.is_empty() {
        Err("empty".into())
    } else {
        Ok(())
    }
}

#[listener]
fn flow(e: &Start) -> ControlFlow<()> {
    if e.0 == "stop" {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

#[listener]
fn checked_flow(e: &Start) -> Result<ControlFlow<()>, String> {
    match e.0 {
        "stop" => Ok(ControlFlow::Break(())),
        "bad" => Err("bad".to_owned()),
        _ => Ok(ControlFlow::Continue(())),
    }
}

#[listener]
async fn later(e: &Start) -> Result<Two, String> {
    if e.0 == "bad" {
        Err("bad".to_owned())
    } else {
        Ok(Two)
    }
}

fn bus<M>(listeners: impl ListenerSet<M>) -> (Bus, Arc<Log>) {
    let log = Arc::new(Log::default());
    let bus = Bus::builder()
        .only((heard, last))
        .only(listeners)
        .state(Arc::clone(&log))
        .on_failure(|_| {});
    (bus.build().unwrap(), log)
}

fn taken(log: &Log) -> Vec<&'static str> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn l3_returned_events_are_emitted_after_the_event_has_reached_all_its_listeners() {
    let (bus, log) = bus((event, vec));

    let report = bus.emit(Start("")).report();

    assert_eq!(report.ran(), 4);
    assert_eq!(
        taken(&log),
        [
            "returns.start",
            "last",
            "returns.one",
            "returns.two",
            "returns.two"
        ]
    );
}

#[test]
fn l3_an_option_is_emitted_if_it_is_some() {
    let (bus, log) = bus(option);

    bus.emit(Start("none"));
    assert_eq!(taken(&log), ["returns.start", "last"]);

    bus.emit(Start("some"));
    assert_eq!(taken(&log), ["returns.start", "last", "returns.one"]);
}

#[test]
fn l3_the_parts_of_a_tuple_are_emitted_in_their_order() {
    let (bus, log) = bus(tuple);

    bus.emit(Start(""));

    assert_eq!(
        taken(&log),
        [
            "returns.start",
            "last",
            "returns.two",
            "returns.one",
            "returns.one"
        ]
    );
}

#[test]
fn l3_an_event_in_a_result_is_emitted_only_if_the_listener_succeeded() {
    let (bus, log) = bus(parse);

    let good = bus.emit(Start("7")).report();
    assert_eq!((good.ran(), good.failed()), (3, 0));
    assert_eq!(taken(&log), ["returns.start", "last", "returns.one"]);

    let bad = bus.emit(Start("x")).report();
    assert_eq!((bad.ran(), bad.failed()), (2, 1));
    assert_eq!(taken(&log), ["returns.start", "last"]);
    let failure = &bad.failures()[0];
    assert_eq!(failure.kind(), FailureKind::Error);
    assert_eq!(failure.message(), "invalid digit found in string");
    assert!(failure.source().unwrap().is::<ParseIntError>());
}

#[test]
fn l3_a_boxed_error_is_a_failure_with_its_words() {
    let (bus, _log) = bus(boxed);

    let report = bus.emit(Start("")).report();

    assert_eq!(report.failures()[0].message(), "empty");
    assert_eq!(bus.emit(Start("x")).report().failed(), 0);
}

#[test]
fn l3_a_break_ends_the_run_also_inside_a_result() {
    let (plain, plain_log) = bus(flow);
    let (checked, checked_log) = bus(checked_flow);

    let stopped = plain.emit(Start("stop")).report();
    let checked_stopped = checked.emit(Start("stop")).report();
    assert_eq!(stopped.stopped_by().unwrap().function(), "flow");
    assert_eq!(
        checked_stopped.stopped_by().unwrap().function(),
        "checked_flow"
    );
    assert_eq!((stopped.ran(), stopped.failed()), (2, 0));
    assert_eq!(
        (taken(&plain_log), taken(&checked_log)),
        (vec!["returns.start"], vec!["returns.start"])
    );

    assert!(plain.emit(Start("go")).report().stopped_by().is_none());
    let bad = checked.emit(Start("bad")).report();
    assert_eq!(
        (bad.ran(), bad.failed(), bad.stopped_by().is_none()),
        (2, 1, true)
    );
    assert_eq!(taken(&checked_log), ["returns.start", "last"]);
}

#[test]
fn l3_an_async_listener_returns_events_and_errors_too() {
    let (bus, log) = bus(later);

    let good = futures::executor::block_on(async { bus.emit(Start("")).await });
    assert_eq!((good.ran(), good.failed()), (3, 0));
    assert_eq!(taken(&log), ["returns.start", "last", "returns.two"]);

    let bad = futures::executor::block_on(async { bus.emit(Start("bad")).await });
    assert_eq!(bad.failures()[0].message(), "bad");
    assert_eq!(taken(&log), ["returns.start", "last"]);
}
