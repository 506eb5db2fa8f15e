//! An event where state is meant: what the build says.
#![cfg(feature = "runtime")]

use tidings::{Bus, Code, event, listener};

#[event]
struct Placed;

#[event]
struct Paid;

#[listener(every = "1s")]
fn tick(_placed: &Placed) {}

#[listener]
fn both(_: &Placed, _paid: &Paid) {}

#[test]
fn a_tick_that_takes_an_event_is_told_that_it_hears_none() {
    let error = Bus::builder().only(tick).build().unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!(problem.code(), Code::MissingState);
    assert_eq!(
        problem.help(),
        "`_placed` is an event, and a tick hears none: take it out, or write `debounce` or `throttle` instead of `every`"
    );
}

#[test]
fn a_listener_of_two_events_is_told_that_it_hears_one() {
    let error = Bus::builder().only(both).build().unwrap_err();
    assert_eq!(
        error.problems()[0].help(),
        "`_paid` is an event, and a listener hears the one of its first parameter: write another listener for it"
    );
}
