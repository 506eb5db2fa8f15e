//! D1, D2: what `emit` does on the caller's thread.

mod support;

use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use support::Recorder;
use tidings::{AnyEvent, Bus, Context, event, listener};

#[event]
struct Placed {
    order: u64,
}

#[listener]
fn first(e: &Placed, log: &Recorder) {
    log.note(format!("first {} {:?}", e.order, thread::current().id()));
}

#[listener]
fn second(e: &Placed, log: &Recorder) {
    log.note(format!("second {} {:?}", e.order, thread::current().id()));
}

#[event]
struct Unheard {
    _items: Vec<u64>,
}

/// Neither `Send` nor `Sync`: inline listeners need neither.
#[event("local.drawn")]
struct Drawn {
    canvas: Rc<str>,
}

#[listener]
fn paint(e: &Drawn, log: &Recorder) {
    log.note(format!("paint {}", e.canvas));
}

#[listener("local.*")]
fn watch(e: &AnyEvent<'_>, log: &Recorder, cx: Context<'_>) {
    let canvas = e
        .downcast_ref::<Drawn>()
        .map(|drawn| drawn.canvas.to_string());
    log.note(format!(
        "watch {} {canvas:?} at depth {}",
        e.topic(),
        cx.depth()
    ));
}

fn bus() -> (Bus, Arc<Recorder>) {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder().state(Arc::clone(&log)).build().unwrap();
    (bus, log)
}

#[test]
fn d1_emit_runs_all_inline_listeners_on_the_callers_thread_before_it_returns() {
    let (bus, log) = bus();

    let emission = bus.emit(Placed { order: 7 });

    let here = thread::current().id();
    assert_eq!(
        log.take(),
        [format!("first 7 {here:?}"), format!("second 7 {here:?}")]
    );
    assert_eq!(emission.report().ran(), 2);
}

#[test]
fn d1_clones_of_a_bus_are_the_same_bus_on_every_thread() {
    let (bus, log) = bus();
    let clone = bus.clone();

    let there = thread::spawn(move || {
        clone.emit(Placed { order: 8 });
        thread::current().id()
    });
    let there = there.join().unwrap();

    assert_eq!(
        log.take(),
        [format!("first 8 {there:?}"), format!("second 8 {there:?}")]
    );
    drop(bus);
}

#[test]
fn d1_two_buses_share_nothing() {
    let (one, one_log) = bus();
    let (_other, other_log) = bus();

    one.emit(Placed { order: 9 });

    assert_eq!(one_log.take().len(), 2);
    assert!(other_log.take().is_empty());
}

#[test]
fn d2_an_event_without_listeners_is_heard_by_nobody_and_is_no_failure() {
    let (bus, log) = bus();

    let report = bus.emit(Unheard { _items: vec![1] }).report();

    assert!(!report.heard());
    assert_eq!(report.to_string(), "0 ran, 0 skipped, 0 failed, 0 queued");
    assert!(log.take().is_empty());
}

#[test]
fn d2_on_an_empty_bus_nobody_hears_anything() {
    let report = Bus::empty().emit(Placed { order: 1 }).report();

    assert!(!report.heard());
}

#[test]
fn e5_inline_listeners_hear_payloads_that_stay_on_their_thread() {
    let (bus, log) = bus();

    let report = bus
        .emit(Drawn {
            canvas: Rc::from("hall"),
        })
        .report();

    assert_eq!(report.ran(), 2);
    assert_eq!(
        log.take(),
        ["paint hall", "watch local.drawn Some(\"hall\") at depth 1"]
    );
}
