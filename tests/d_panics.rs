//! D3: panics, wherever in a delivery they come from.

mod support;

use std::panic::panic_any;
use std::sync::{Arc, Mutex};

use support::Recorder;
use tidings::{Bus, Failure, FailureKind, ListenerInfo, event, listener};

#[event]
struct Placed {
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    Literal,
    Formatted,
    Number,
    Dropping,
}

/// A panic payload that panics again when it is let go.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("the payload's own drop");
    }
}

#[listener]
fn charge(e: &Placed) {
    match e.how {
        How::Literal => panic!("the card reader is gone"),
        How::Formatted => panic!("card {} is gone", 4711),
        How::Number => panic_any(42_u8),
        How::Dropping => panic_any(Grenade),
    }
}

#[listener]
fn confirm(_: &Placed, log: &Recorder) {
    log.note("confirm");
}

/// Its listener holds something whose `Drop` panics.
#[event]
struct Opened;

#[listener]
fn hold(_: &Opened, log: &Recorder) {
    let _held = Grenade;
    log.note("hold");
}

#[listener]
fn after_hold(_: &Opened, log: &Recorder) {
    log.note("after_hold");
}

#[event]
struct Fuse {
    armed: bool,
}

impl Drop for Fuse {
    fn drop(&mut self) {
        assert!(!self.armed, "the event's own drop");
    }
}

#[listener]
fn see(_: &Fuse, log: &Recorder) {
    log.note("see");
}

/// The same, but nobody hears it.
#[event]
struct Dud;

impl Drop for Dud {
    fn drop(&mut self) {
        panic!("nobody's drop");
    }
}

#[event]
struct Weighed {
    grams: u32,
}

#[listener(when = |e| 1000 / e.grams > 1)]
fn light(e: &Weighed, log: &Recorder) {
    log.note(format!("light {}", e.grams));
}

#[listener]
fn weigh(e: &Weighed, log: &Recorder) {
    log.note(format!("weigh {}", e.grams));
}

/// Its condition emits, and a listener of that fails in its own way.
#[event]
struct Asked;

#[listener(when = |_| tidings::emit(Answered).report().failed() == 1)]
fn ask(_: &Asked, log: &Recorder) {
    log.note("ask");
}

#[event]
struct Answered;

#[listener]
fn answer(_: &Answered) {
    panic!("no answer");
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
    let tell = move |failure: &Failure| {
        hook.lock()
            .unwrap()
            .push(format!("{}: {}", failure.kind(), failure.message()));
    };
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .on_failure(tell)
        .build()
        .unwrap();
    Fixture { bus, log, told }
}

/// Emits, and expects one failure of `charge` with this message, and `confirm` to run nevertheless.
fn charge_fails_with(how: How, message: &str) {
    let Fixture { bus, log, told } = fixture();

    let report = bus.emit(Placed { how }).report();

    assert_eq!((report.ran(), report.failed()), (1, 1));
    let failure = &report.failures()[0];
    assert_eq!(failure.kind(), FailureKind::Panic);
    assert_eq!(failure.message(), message);
    assert_eq!(
        failure.listener().map(ListenerInfo::function),
        Some("charge")
    );
    assert!(
        failure
            .location()
            .is_some_and(|place| place.file().ends_with("d_panics.rs"))
    );
    assert!(failure.source().is_none());
    assert_eq!(log.take(), ["confirm"]);
    assert_eq!(*told.lock().unwrap(), [format!("panic: {message}")]);
}

#[test]
fn d3_a_panicking_listener_does_not_stop_the_next() {
    charge_fails_with(How::Literal, "the card reader is gone");
}

#[test]
fn d3_a_formatted_panic_keeps_its_message() {
    charge_fails_with(How::Formatted, "card 4711 is gone");
}

#[test]
fn d3_a_panic_whose_payload_is_no_string_is_a_failure_that_says_so() {
    charge_fails_with(How::Number, "a panic whose payload is not a string");
}

#[test]
fn d3_a_panic_whose_payload_panics_in_drop_is_one_failure() {
    charge_fails_with(How::Dropping, "a panic whose payload is not a string");
}

#[test]
fn d3_after_a_panic_the_next_emission_is_as_ever() {
    let Fixture { bus, log, .. } = fixture();

    for _ in 0..200 {
        assert_eq!(bus.emit(Placed { how: How::Literal }).report().failed(), 1);
    }

    assert_eq!(log.take().len(), 200);
}

#[test]
fn d3_a_panic_in_drop_inside_a_listener_is_that_listeners_failure() {
    let Fixture { bus, log, .. } = fixture();

    let report = bus.emit(Opened).report();

    assert_eq!(report.failures()[0].message(), "the payload's own drop");
    assert_eq!(
        report.failures()[0].listener().map(ListenerInfo::function),
        Some("hold")
    );
    assert_eq!(log.take(), ["hold", "after_hold"]);
}

#[test]
fn d3_an_event_whose_drop_panics_fails_the_emission_after_its_listeners_ran() {
    let Fixture { bus, log, told } = fixture();

    let report = bus.emit(Fuse { armed: true }).report();

    assert_eq!((report.ran(), report.failed()), (1, 1));
    assert_eq!(report.failures()[0].kind(), FailureKind::Panic);
    assert_eq!(
        report.failures()[0].message(),
        "dropping the event panicked: the event's own drop"
    );
    assert!(report.failures()[0].listener().is_none());
    assert_eq!(log.take(), ["see"]);
    assert_eq!(told.lock().unwrap().len(), 1);
    assert_eq!(bus.emit(Fuse { armed: false }).report().failed(), 0);
}

#[test]
fn d3_an_event_that_nobody_hears_may_panic_in_drop_too() {
    let Fixture { bus, .. } = fixture();

    let report = bus.emit(Dud).report();

    assert_eq!(
        report.failures()[0].message(),
        "dropping the event panicked: nobody's drop"
    );
}

#[test]
fn d3_an_event_whose_drop_panics_is_caught_beside_subscriptions_too() {
    let Fixture { bus, log, .. } = fixture();
    let also = Arc::clone(&log);
    let _subscription = bus.on(move |_: &Fuse| also.note("subscribed"));

    let report = bus.emit(Fuse { armed: true }).report();

    assert_eq!((report.ran(), report.failed()), (2, 1));
    assert_eq!(log.take(), ["see", "subscribed"]);
}

#[test]
fn d3_a_subscription_that_panics_does_not_stop_the_next() {
    let Fixture { bus, log, .. } = fixture();
    let also = Arc::clone(&log);
    let _bad = bus.on(|_: &Fuse| panic!("subscribed in haste"));
    let _good = bus.on(move |_: &Fuse| also.note("good"));

    let report = bus.emit(Fuse { armed: false }).report();

    assert_eq!(report.failures()[0].message(), "subscribed in haste");
    assert!(
        report.failures()[0]
            .listener()
            .is_some_and(|l| { l.id().starts_with("subscription at tests/d_panics.rs:") })
    );
    assert_eq!(log.take(), ["see", "good"]);
}

#[test]
fn d3_what_a_subscriptions_closure_does_when_it_is_dropped_stays_inside_the_emission() {
    let Fixture { bus, log, .. } = fixture();
    let own = Arc::new(Mutex::new(None));
    let (slot, grenade) = (Arc::clone(&own), Grenade);
    let subscription = bus.on(move |_: &Fuse| {
        let _held = &grenade;
        drop(slot.lock().unwrap().take());
    });
    *own.lock().unwrap() = Some(subscription);

    let report = bus.emit(Fuse { armed: false }).report();

    assert_eq!(log.take(), ["see"]);
    assert_eq!(
        report.failures()[0].message(),
        "dropping a subscription's closure panicked: the payload's own drop"
    );
    assert_eq!(
        bus.emit(Fuse { armed: false }).report().to_string(),
        "1 ran, 0 skipped, 0 failed, 0 queued"
    );
}

#[test]
fn d3_a_panic_in_a_condition_is_told_from_one_in_the_listener() {
    let Fixture { bus, log, told } = fixture();

    let report = bus.emit(Weighed { grams: 0 }).report();

    assert_eq!((report.ran(), report.skipped(), report.failed()), (1, 0, 1));
    assert_eq!(report.failures()[0].kind(), FailureKind::Condition);
    assert_eq!(report.failures()[0].message(), "attempt to divide by zero");
    assert_eq!(
        report.failures()[0].listener().map(ListenerInfo::function),
        Some("light")
    );
    assert_eq!(log.take(), ["weigh 0"]);
    assert_eq!(
        *told.lock().unwrap(),
        ["panic in the condition: attempt to divide by zero"]
    );
}

#[test]
fn d3_a_listener_that_panics_after_its_condition_held_is_no_condition_failure() {
    let Fixture { bus, log, .. } = fixture();

    assert_eq!(
        bus.emit(Weighed { grams: 0 }).report().failures()[0].kind(),
        FailureKind::Condition
    );
    let report = bus.emit(Placed { how: How::Literal }).report();

    assert_eq!(report.failures()[0].kind(), FailureKind::Panic);
    drop(log);
}

#[test]
fn d3_a_listener_that_panics_inside_anothers_condition_is_no_condition_failure() {
    let Fixture { bus, log, told } = fixture();

    let report = bus.emit(Asked).report();

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(*told.lock().unwrap(), ["panic: no answer"]);
    assert_eq!(log.take(), ["ask"]);
}
