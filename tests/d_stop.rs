//! D5: a listener that ends the run.

mod support;

use std::num::ParseIntError;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::executor::block_on;
use support::Recorder;
use tidings::{AnyEvent, Bus, ListenerInfo, event, listener};

#[event("door.knocked", stoppable)]
struct Knocked {
    guests: &'static str,
}

#[listener]
async fn light(_: &Knocked, log: &Recorder) {
    log.note("light");
}

#[listener]
fn look(_: &Knocked, log: &Recorder) -> ControlFlow<()> {
    log.note("look");
    ControlFlow::Continue(())
}

#[listener]
fn decide(e: &Knocked, log: &Recorder) -> Result<ControlFlow<()>, ParseIntError> {
    log.note("decide");
    Ok(match e.guests.parse::<u32>()? {
        0 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
}

#[listener]
fn open(_: &Knocked, log: &Recorder) {
    log.note("open");
}

#[listener]
async fn cook(_: &Knocked, log: &Recorder) {
    log.note("cook");
}

#[listener("door.*", late)]
fn watch(e: &AnyEvent<'_>, log: &Recorder) {
    log.note(format!("watch {}", e.topic()));
}

/// All its listeners are inline.
#[event(stoppable)]
struct Asked;

#[listener]
fn refuse(_: &Asked) -> ControlFlow<()> {
    ControlFlow::Break(())
}

#[listener]
fn answer(_: &Asked, log: &Recorder) {
    log.note("answer");
}

#[event(stoppable)]
struct Offered;

#[listener]
fn fail(_: &Offered) -> Result<ControlFlow<()>, String> {
    Err("not today".to_owned())
}

#[listener]
fn accept(_: &Offered, log: &Recorder) {
    log.note("accept");
}

fn bus() -> (Bus, Arc<Recorder>) {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .on_failure(|_| ())
        .build()
        .unwrap();
    (bus, log)
}

#[test]
fn d5_break_ends_the_run_and_the_report_says_who() {
    let (bus, log) = bus();

    let report = bus.emit(Asked).report();

    assert!(log.take().is_empty());
    assert_eq!((report.ran(), report.failed(), report.skipped()), (1, 0, 0));
    assert_eq!(
        report.stopped_by().map(ListenerInfo::id),
        Some("d_stop::refuse")
    );
    assert_eq!(
        report.to_string(),
        "1 ran, 0 skipped, 0 failed, 0 queued, stopped by d_stop::refuse"
    );
}

#[test]
fn d5_async_listeners_after_the_break_are_not_reached_and_those_before_it_are() {
    let (bus, log) = bus();
    let also = Arc::clone(&log);
    let _subscription = bus.on(move |_: &Knocked| also.note("subscribed"));

    let report = block_on(async { bus.emit(Knocked { guests: "0" }).await });

    assert_eq!(log.take(), ["look", "decide", "light"]);
    assert_eq!(report.ran(), 3);
    assert_eq!(
        report.stopped_by().map(ListenerInfo::function),
        Some("decide")
    );
}

#[test]
fn d5_continue_reaches_everybody() {
    let (bus, log) = bus();
    let also = Arc::clone(&log);
    let _subscription = bus.on(move |_: &Knocked| also.note("subscribed"));

    let report = block_on(async { bus.emit(Knocked { guests: "2" }).await });

    assert_eq!(
        log.take(),
        [
            "look",
            "decide",
            "open",
            "watch door.knocked",
            "subscribed",
            "light",
            "cook"
        ]
    );
    assert_eq!(report.ran(), 7);
    assert!(report.stopped_by().is_none());
}

#[test]
fn d5_a_failing_listener_does_not_stop_the_run() {
    let (bus, log) = bus();

    let report = bus.emit(Offered).report();

    assert_eq!((report.ran(), report.failed()), (1, 1));
    assert!(report.stopped_by().is_none());
    assert_eq!(log.take(), ["accept"]);
}
