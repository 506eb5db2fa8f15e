//! R1, R2: what a report says of one emission.

use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

use futures::executor::block_on;
use tidings::{Bus, Emission, FailureKind, ListenerInfo, Report, event, listener};

#[event]
struct Ordered {
    quantity: &'static str,
}

#[listener]
fn keep(_: &Ordered) {}

#[listener(when = |e| e.quantity.len() > 3)]
fn alert(_: &Ordered) {}

#[listener]
fn parse(e: &Ordered) -> Result<(), ParseIntError> {
    e.quantity.parse::<u32>().map(drop)
}

#[listener]
fn limit(e: &Ordered) -> Result<(), String> {
    if e.quantity == "13" {
        Err("not thirteen".to_owned())
    } else {
        Ok(())
    }
}

#[listener]
async fn send(e: &Ordered) -> Result<(), Unspeakable> {
    if e.quantity == "0" {
        Err(Unspeakable)
    } else {
        Ok(())
    }
}

/// An error whose `Display` panics.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl Error for Unspeakable {}

fn bus() -> Bus {
    Bus::builder().on_failure(|_| ()).build().unwrap()
}

fn counts(report: &Report) -> [usize; 4] {
    [
        report.ran(),
        report.skipped(),
        report.failed(),
        report.queued(),
    ]
}

fn emit_and_await(quantity: &'static str) -> Report {
    let bus = bus();
    block_on(async { bus.emit(Ordered { quantity }).await })
}

#[test]
fn r1_every_delivery_is_counted_exactly_once() {
    assert_eq!(counts(&emit_and_await("1000")), [5, 0, 0, 0]);
    assert_eq!(counts(&emit_and_await("1")), [4, 1, 0, 0]);
    assert_eq!(counts(&emit_and_await("13")), [3, 1, 1, 0]);
    assert_eq!(counts(&emit_and_await("x")), [3, 1, 1, 0]);
    assert_eq!(counts(&emit_and_await("0")), [3, 1, 1, 0]);
    let unawaited = bus().emit(Ordered { quantity: "1" }).report();
    assert_eq!(counts(&unawaited), [3, 1, 1, 0]);
}

#[test]
fn r1_a_failure_carries_listener_place_kind_message_and_source() {
    let report = emit_and_await("x");

    let failure = &report.failures()[0];
    assert_eq!(
        failure.listener().map(ListenerInfo::id),
        Some("r_counts::parse")
    );
    assert_eq!(
        failure.location(),
        failure.listener().map(ListenerInfo::location)
    );
    assert_eq!(failure.kind(), FailureKind::Error);
    assert_eq!(failure.message(), "invalid digit found in string");
    assert!(matches!(failure.source(), Some(source) if source.is::<ParseIntError>()));
    let place = failure.location().unwrap();
    assert!(place.file().ends_with("r_counts.rs"));
    assert_eq!(
        failure.to_string(),
        format!("r_counts::parse ({place}): error: invalid digit found in string")
    );
}

#[test]
fn r1_an_error_that_is_only_text_is_a_failure_with_that_text() {
    let report = emit_and_await("13");

    assert_eq!(report.failures()[0].message(), "not thirteen");
}

#[test]
fn r1_result_keeps_the_source_through_the_question_mark() {
    fn place(quantity: &'static str) -> Result<Report, Box<dyn Error + Send + Sync>> {
        Ok(bus().emit(Ordered { quantity }).report().result()?)
    }

    let error = place("x").unwrap_err();

    assert!(matches!(error.source(), Some(source) if source.is::<ParseIntError>()));
    let error = error.downcast::<tidings::EmitError>().unwrap();
    // The async listener was not awaited, so it failed too.
    assert_eq!(error.failures().len(), 2);
    assert!(
        error
            .to_string()
            .starts_with("2 of 4 deliveries failed: r_counts::parse ("),
        "{error}"
    );
    assert_eq!(error.into_report().ran(), 2);
}

#[test]
fn r1_result_of_a_success_is_the_report() {
    let report = emit_and_await("1000").result().unwrap();

    assert_eq!(counts(&report), [5, 0, 0, 0]);
    assert!(report.failures().is_empty());
}

#[test]
fn r1_an_error_whose_display_panics_is_still_a_failure() {
    let report = emit_and_await("0");

    assert_eq!(report.failures()[0].kind(), FailureKind::Error);
    assert_eq!(
        report.failures()[0].message(),
        "the error's `Display` panicked: no words"
    );
    assert!(matches!(report.failures()[0].source(), Some(source) if source.is::<Unspeakable>()));
}

#[test]
fn r1_failures_stand_in_the_order_in_which_they_happened() {
    let report = bus().emit(Ordered { quantity: "13" }).report();

    let functions: Vec<_> = report
        .failures()
        .iter()
        .filter_map(|f| Some(f.listener()?.function()))
        .collect();
    assert_eq!(functions, ["limit", "send"]);
    assert_eq!(report.failures()[1].kind(), FailureKind::NoRuntime);
}

#[test]
fn r1_the_report_prints_its_counts_and_failures() {
    let report = emit_and_await("13");

    let failure = &report.failures()[0];
    assert_eq!(
        report.to_string(),
        format!("3 ran, 1 skipped, 1 failed, 0 queued\n  {failure}")
    );
}

/// Compiled under warnings denied: none of these uses is one.
#[test]
fn r1_an_emission_may_be_dropped_bound_or_awaited() {
    let bus = bus();

    bus.emit(Ordered { quantity: "x" });
    let _ = bus.emit(Ordered { quantity: "x" });
    drop(bus.emit(Ordered { quantity: "x" }));
    block_on(async {
        bus.emit(Ordered { quantity: "x" }).await;
        let _ = bus.emit(Ordered { quantity: "x" }).await;
    });
    bus.emit(Ordered { quantity: "x" }).report();
}

/// A failure without async listeners: what is dropped holds nothing but the failure.
#[test]
fn r1_an_emission_that_holds_only_failures_may_be_dropped() {
    let bus = Bus::builder()
        .without(send)
        .on_failure(|_| ())
        .build()
        .unwrap();

    bus.emit(Ordered { quantity: "x" });
    let future = std::future::IntoFuture::into_future(bus.emit(Ordered { quantity: "x" }));
    drop(future);
}

#[test]
fn r1_an_emission_goes_to_other_threads_and_is_not_generic() {
    fn sendable(emission: impl Send + 'static) -> impl Send + 'static {
        emission
    }
    let emission: Emission = bus().emit(Ordered { quantity: "1" });

    let emission = sendable(emission);

    drop(emission);
}

#[test]
fn r1_heard_is_true_for_what_failed_and_false_for_what_was_only_skipped() {
    let only_alert = Bus::builder().only(alert).build().unwrap();
    assert!(!only_alert.emit(Ordered { quantity: "1" }).report().heard());
    assert!(
        only_alert
            .emit(Ordered { quantity: "1000" })
            .report()
            .heard()
    );

    let only_parse = Bus::builder()
        .only(parse)
        .on_failure(|_| ())
        .build()
        .unwrap();
    assert!(only_parse.emit(Ordered { quantity: "x" }).report().heard());
}
