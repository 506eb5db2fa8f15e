//! D3: conditions that panic inside each other.

use std::sync::{Arc, Mutex};

use tidings::{Bus, Failure, FailureKind, emit, event, listener};

#[event]
struct Odd;

#[listener(when = |_| { emit(Inner); panic!("outer") })]
fn outer(_: &Odd) {}

#[event]
struct Inner;

#[listener(when = |_| panic!("inner"))]
fn inner(_: &Inner) {}

#[test]
fn d3_a_condition_that_panics_after_another_one_did_is_told_as_a_condition() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let builder = Bus::builder().on_failure(move |failure: &Failure| {
        let told = (failure.kind(), failure.message().to_owned());
        hook.lock().unwrap().push(told);
    });
    builder.build().unwrap().emit(Odd);
    assert_eq!(
        *told.lock().unwrap(),
        [
            (FailureKind::Condition, "inner".to_owned()),
            (FailureKind::Condition, "outer".to_owned())
        ]
    );
}
