//! D4: emissions inside listeners, and events that listeners return.

mod support;

use std::num::ParseIntError;
use std::sync::{Arc, Mutex};

use support::Recorder;
use tidings::{Bus, Context, Failure, event, listener};

#[event]
struct Outer;

#[listener]
fn outer_first(_: &Outer, cx: Context<'_>, log: &Recorder) {
    log.note("outer first begins");
    assert_eq!(cx.emit(Root).report().ran(), 3);
    log.note("outer first ends");
}

#[listener]
fn outer_second(_: &Outer, log: &Recorder) {
    log.note("outer second");
}

#[event]
struct Root;

#[listener]
fn root_one(_: &Root, log: &Recorder) -> Leaf {
    log.note("root one");
    Leaf(1)
}

#[listener]
fn root_many(_: &Root, log: &Recorder) -> Result<(Vec<Leaf>, Option<Seed>), ParseIntError> {
    log.note("root many");
    let four = "4".parse()?;
    Ok((vec![Leaf(2), Leaf(3)], Some(Seed(four))))
}

#[listener]
fn root_none(_: &Root, log: &Recorder) -> Option<Leaf> {
    log.note("root none");
    None
}

#[event]
struct Leaf(u32);

#[listener]
fn leaf(e: &Leaf, log: &Recorder, cx: Context<'_>) -> Seed {
    let cause = cx.cause().and_then(|cause| cause.listener()).unwrap();
    log.note(format!(
        "leaf {} at depth {} from {}",
        e.0,
        cx.depth(),
        cause.function()
    ));
    Seed(e.0 * 10)
}

#[listener]
fn leaf_too(e: &Leaf, log: &Recorder) {
    log.note(format!("leaf {} too", e.0));
}

#[event]
struct Seed(u32);

#[listener]
fn seed(e: &Seed, log: &Recorder) {
    log.note(format!("seed {}", e.0));
}

/// What stands at the end of a cascade from `Root`.
const CASCADE: [&str; 13] = [
    "root one",
    "root many",
    "root none",
    "leaf 1 at depth 2 from root_one",
    "leaf 1 too",
    "leaf 2 at depth 2 from root_many",
    "leaf 2 too",
    "leaf 3 at depth 2 from root_many",
    "leaf 3 too",
    "seed 4",
    "seed 10",
    "seed 20",
    "seed 30",
];

#[event]
struct Declined;

#[listener]
fn decline(_: &Declined) -> Result<Seed, String> {
    Err("declined".to_owned())
}

#[event]
struct Trouble;

#[listener]
fn brings_trouble(_: &Trouble) -> Declined {
    Declined
}

struct Fixture {
    bus: Bus,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<String>>>,
}

fn fixture() -> Fixture {
    let log = Arc::new(Recorder::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let tell = move |failure: &Failure| hook.lock().unwrap().push(failure.message().to_owned());
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .on_failure(tell)
        .build()
        .unwrap();
    Fixture { bus, log, told }
}

#[test]
fn d4_returned_events_run_breadth_first_after_the_event_reached_everybody() {
    let Fixture { bus, log, .. } = fixture();

    bus.emit(Root);

    assert_eq!(log.take(), CASCADE);
}

#[test]
fn d4_returned_events_run_in_the_same_order_beside_subscriptions() {
    let Fixture { bus, log, .. } = fixture();
    let also = Arc::clone(&log);
    let _subscription = bus.on(move |_: &Root| also.note("subscribed"));

    bus.emit(Root);

    let mut expected = CASCADE.to_vec();
    expected.insert(3, "subscribed");
    assert_eq!(log.take(), expected);
}

#[test]
fn d4_a_nested_emit_runs_at_once_and_its_returned_events_before_it_returns() {
    let Fixture { bus, log, .. } = fixture();

    let report = bus.emit(Outer).report();

    assert_eq!(report.to_string(), "2 ran, 0 skipped, 0 failed, 0 queued");
    let deeper = CASCADE.map(|line| line.replace("depth 2", "depth 3"));
    let mut expected = vec!["outer first begins".to_owned()];
    expected.extend(deeper);
    expected.extend(["outer first ends".to_owned(), "outer second".to_owned()]);
    assert_eq!(log.take(), expected);
}

#[test]
fn d4_a_listener_that_fails_has_nothing_emitted() {
    let Fixture { bus, log, .. } = fixture();

    let report = bus.emit(Declined).report();

    assert_eq!(report.failures()[0].message(), "declined");
    assert!(log.take().is_empty());
}

#[test]
fn r1_a_report_covers_its_own_event_and_failures_of_returned_ones_reach_the_hook() {
    let Fixture { bus, told, .. } = fixture();

    let report = bus.emit(Trouble).report();

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(*told.lock().unwrap(), ["declined"]);
}
