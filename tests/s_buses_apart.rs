//! S2 beside D1: buses of one program with other listeners of one event each run their own, whichever is built first.

use std::cell::RefCell;

use tidings::{Bus, event, listener};

#[event]
struct Rung;

thread_local! {
    static HEARD: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn note(name: &'static str) {
    HEARD.with_borrow_mut(|heard| heard.push(name));
}

#[listener]
fn first(_: &Rung) {
    note("first");
}

#[listener]
fn second(_: &Rung) {
    note("second");
}

#[listener]
fn third(_: &Rung) {
    note("third");
}

fn heard(bus: &Bus) -> Vec<&'static str> {
    let report = bus.emit(Rung).report();
    let heard = HEARD.take();
    assert_eq!(report.ran(), heard.len());
    heard
}

#[test]
fn s2_a_selection_of_one_bus_is_not_that_of_another() {
    let some = Bus::builder().only((first, third)).build().unwrap();
    let all = Bus::builder().build().unwrap();
    let less = Bus::builder().without(second).build().unwrap();
    let one = Bus::builder().only(second).build().unwrap();
    for _ in 0..2 {
        assert_eq!(heard(&some), ["first", "third"]);
        assert_eq!(heard(&all), ["first", "second", "third"]);
        assert_eq!(heard(&less), ["first", "third"]);
        assert_eq!(heard(&one), ["second"]);
        assert!(heard(&Bus::empty()).is_empty());
    }
}

#[test]
fn s2_a_panic_is_told_of_the_listener_that_this_bus_ran() {
    thread_local! {
        static NAMES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }
    let hook = |failure: &tidings::Failure| {
        let id = failure.listener().map(|listener| listener.id().to_owned());
        NAMES.with_borrow_mut(|names| names.extend(id));
    };
    let bus = || Bus::builder().on_failure(hook);
    for bus in [bus().only(fails), bus(), bus().without(fails)] {
        bus.build().unwrap().emit(Tripped);
    }
    let names = NAMES.take();
    assert_eq!(names, ["s_buses_apart::fails", "s_buses_apart::fails"]);
}

#[event]
struct Tripped;

#[listener]
fn passes(_: &Tripped) {}

#[listener]
fn fails(_: &Tripped) {
    panic!("on purpose");
}
