//! What a replacement keeps of its listener, and when it is refused.
#![cfg(feature = "test")]

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tidings::test::{TestBus, TestBusBuilder};
use tidings::{AnyEvent, event, listener};

#[event]
struct Plain;

#[event(stoppable)]
struct Asked;

#[event]
struct Booked {
    order: u64,
}

/// Not given, where nothing else is said.
struct Bank;

#[listener]
fn plain(_: &Plain) {}

#[listener]
async fn later(_: &Asked) {}

#[listener]
fn ask(_: &Asked) {}

#[listener(after = ask)]
fn answer(_: &Asked) {}

#[listener("**")]
fn any(_: &AnyEvent<'_>) {}

#[listener(queue = 8)]
fn queued(_: &Asked) {}

#[listener(queue = 8, retry = 3, backoff = "1s..1s", retry_if = |err| err.to_string() == "busy")]
fn judged(e: &Booked, _: &Bank) -> Result<(), String> {
    Err(format!("{} is not booked", e.order))
}

#[listener(queue = 8, batch = 4)]
fn batched(_: &[&Booked], _: &Bank) {}

#[listener(queue = 8, workers = 2, key = |e| e.order)]
fn keyed(_: &Booked, _: &Bank) {}

#[listener(when = |e| e.order > 1)]
fn conditional(_: &Booked, _: &Bank) {}

#[listener(debounce = "1s", key = |e| e.order)]
fn debounced(_: &Booked, _: &Bank) {}

type Change = fn(TestBusBuilder) -> TestBusBuilder;

fn problems(change: impl FnOnce(TestBusBuilder) -> TestBusBuilder) -> String {
    let builder = TestBus::builder().without((judged, batched, keyed, conditional, debounced));
    complaint(|| drop(change(builder).build()))
}

/// The message of the panic.
fn complaint(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("it was to fail");
    *panic.downcast::<String>().expect("a text")
}

const STOP: ControlFlow<()> = ControlFlow::Break(());

#[test]
fn a_replacement_may_stop_what_its_listener_may_stop() {
    let without = (judged, batched, keyed, conditional, debounced);
    let bus = TestBus::builder()
        .without(without)
        .replace(ask, |_: &Asked| STOP)
        .build();
    let report = bus.emit(Asked).report();
    assert!(report.stopped_by().is_some_and(|by| by.function() == "ask"));
    bus.settle_blocking().not_heard_by(answer);
}

#[test]
fn a_replacement_that_stops_what_its_listener_could_not_is_refused() {
    let refused = [
        (
            problems(|b| b.replace(plain, |_: &Plain| STOP)),
            "the replacement of `kit_replace::plain` returns `ControlFlow`, and its event is not `stoppable`",
        ),
        (
            problems(|b| b.replace(later, |_: &Asked| Ok::<_, String>(STOP))),
            "the replacement of `kit_replace::later` returns `ControlFlow`, and the run has gone on before it is called",
        ),
        (
            problems(|b| b.replace(queued, |_: &Asked| STOP)),
            "the replacement of `kit_replace::queued` returns `ControlFlow`, and the run has gone on before it is called",
        ),
        (
            problems(|b| b.replace_any(any, |_: &AnyEvent<'_>| STOP)),
            "the replacement of `kit_replace::any` returns `ControlFlow`, and not every event that it hears is `stoppable`",
        ),
    ];
    for (said, expected) in refused {
        assert!(said.contains("1 problem\n  [not-replaceable] "), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("at tests/kit_replace.rs:"), "{said}");
    }
    let said = complaint(|| drop(TestBus::builder().stub(|_: &Plain| STOP)));
    assert!(said.contains("the event is not `stoppable`"), "{said}");
}

#[test]
fn a_replacement_that_could_not_keep_its_listener_s_ways_without_its_state_is_refused() {
    let refused: [(Change, &str, &str); 5] = [
        (
            |b| {
                b.without((batched, keyed, conditional, debounced))
                    .replace(judged, |_: &Booked| ())
            },
            "judged",
            "its `retry_if` is in code that takes the state",
        ),
        (
            |b| {
                b.without((judged, keyed, conditional, debounced))
                    .replace(batched, |_: &Booked| ())
            },
            "batched",
            "its batch is in code that takes the state",
        ),
        (
            |b| {
                b.without((judged, batched, conditional, debounced))
                    .replace(keyed, |_: &Booked| ())
            },
            "keyed",
            "its way to share its work among several workers is in code that takes the state",
        ),
        (
            |b| {
                b.without((judged, batched, keyed, debounced))
                    .replace(conditional, |_: &Booked| ())
            },
            "conditional",
            "its condition is in code that takes the state",
        ),
        (
            |b| {
                b.without((judged, batched, keyed, conditional))
                    .replace(debounced, |_: &Booked| ())
            },
            "debounced",
            "its time for each key is in code that takes the state",
        ),
    ];
    for (change, listener, expected) in refused {
        let said = complaint(|| drop(change(TestBus::builder()).build()));
        assert!(said.contains("2 problems"), "{said}");
        assert!(said.contains("[missing-state]"), "{said}");
        let start = format!("[not-replaceable] `kit_replace::{listener}` is replaced");
        assert!(said.contains(&start), "{said}");
        assert!(said.contains(expected), "{said}");
        // With the state it is the listener's own.
        drop(change(TestBus::builder()).state(Bank).build());
    }
}

#[test]
fn a_replacement_keeps_its_listener_s_retry_if() {
    let refuse = |_: &Booked| Err::<(), _>("closed for good");
    let bus = TestBus::builder()
        .state(Bank)
        .on_failure(|_| ())
        .replace(judged, refuse)
        .build();
    bus.emit(Booked { order: 1 });
    bus.settle_blocking()
        .heard_by(judged)
        .once()
        .tries(1)
        .failed();
}
