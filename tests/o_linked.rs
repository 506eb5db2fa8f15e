//! O1, O2: the order of linked listeners.

mod support;

use std::sync::Arc;

use support::Recorder;
use tidings::{AnyEvent, Bus, Context, Event, ListenerInfo, event, listener};

#[event]
struct Phased;

#[listener(late)]
fn phased_late(_: &Phased, log: &Recorder) {
    log.note("late");
}

#[listener]
fn phased_main(_: &Phased, log: &Recorder) {
    log.note("main");
}

#[listener(early)]
fn phased_early(_: &Phased, log: &Recorder) {
    log.note("early");
}

/// Declared in the order z, a; within each the lines count, not the names.
#[event]
struct Placed;

mod zebra {
    use super::*;

    #[listener]
    fn first(_: &Placed, log: &Recorder) {
        log.note("zebra");
    }
}

mod ant {
    use super::*;

    #[listener]
    fn second_by_name(_: &Placed, log: &Recorder) {
        log.note("ant, first line");
    }

    #[listener]
    fn first_by_name(_: &Placed, log: &Recorder) {
        log.note("ant, second line");
    }

    pub(super) mod egg {
        use super::*;

        #[listener]
        fn inner(_: &Placed, log: &Recorder) {
            log.note("ant::egg");
        }
    }
}

#[listener]
fn root(_: &Placed, log: &Recorder) {
    log.note("the root");
}

#[rustfmt::skip]
mod one_line {
    use super::*;

    #[listener] fn z(_: &Placed, log: &Recorder) { log.note("one line, left"); } #[listener] fn a(_: &Placed, log: &Recorder) { log.note("one line, right"); }
}

/// Two records of one `macro_rules` call stand at one place.
macro_rules! twins {
    () => {
        #[listener]
        fn twin_b(_: &Twinned, log: &Recorder, cx: Context<'_>) {
            log.note(format!("b {}", cx.listener().location()));
        }

        #[listener]
        fn twin_a(_: &Twinned, log: &Recorder, cx: Context<'_>) {
            log.note(format!("a {}", cx.listener().location()));
        }
    };
}

#[event]
struct Twinned;

twins!();

/// Same name in two bodies, each with an id of its own.
#[event]
struct Bodied;

#[test]
fn o1_listeners_of_one_name_in_two_bodies_are_told_apart_by_their_ids() {
    #[listener(id = "bodies.first")]
    fn inside(_: &Bodied, log: &Recorder, cx: Context<'_>) {
        log.note(cx.listener().id());
    }
    fn other() {
        #[listener(id = "bodies.second")]
        fn inside(_: &Bodied, log: &Recorder, cx: Context<'_>) {
            log.note(cx.listener().id());
        }
    }
    other();

    assert_eq!(heard(Bodied), ["bodies.first", "bodies.second"]);
}

/// A module and a function of one name.
#[event]
struct Shared;

#[listener]
fn shared(_: &Shared, log: &Recorder, cx: Context<'_>) {
    log.note(cx.listener().id());
}

mod shared {
    use super::*;

    #[listener]
    fn shared(_: &Shared, log: &Recorder, cx: Context<'_>) {
        log.note(cx.listener().id());
    }
}

/// Relations, by path and by id, among typed and pattern listeners.
#[event("related.made")]
struct Related;

#[listener(after = last_but_one)]
fn last(_: &Related, log: &Recorder) {
    log.note("last");
}

#[listener("related.*", after = "relations.third")]
fn last_but_one(_: &AnyEvent<'_>, log: &Recorder) {
    log.note("last but one");
}

#[listener(id = "relations.third")]
fn third(_: &Related, log: &Recorder) {
    log.note("third");
}

#[listener("**", before = "relations.third", after = opening::first)]
fn second(e: &AnyEvent<'_>, log: &Recorder) {
    if e.is::<Related>() {
        log.note("second");
    }
}

mod opening {
    use super::*;

    #[listener]
    pub(super) fn first(_: &Related, log: &Recorder) {
        log.note("first");
    }
}

fn bus() -> (Bus, Arc<Recorder>) {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder().state(Arc::clone(&log)).build().unwrap();
    (bus, log)
}

fn heard<E: Event>(event: E) -> Vec<String> {
    let (bus, log) = bus();
    bus.emit(event);
    log.take()
}

#[test]
fn o1_early_listeners_run_first_and_late_ones_last() {
    assert_eq!(heard(Phased), ["early", "main", "late"]);
}

#[test]
fn o1_modules_are_in_alphabetical_order_and_lines_and_columns_in_that_of_the_source() {
    let expected = [
        "the root",
        "ant, first line",
        "ant, second line",
        "ant::egg",
        "one line, left",
        "one line, right",
        "zebra",
    ];

    assert_eq!(heard(Placed), expected);
}

#[test]
fn o1_two_records_of_one_macro_call_are_ordered_by_their_names() {
    let heard = heard(Twinned);

    let places: Vec<_> = heard.iter().map(|line| &line[2..]).collect();
    assert_eq!(places[0], places[1], "they stand at one place");
    assert!(
        heard[0].starts_with("a ") && heard[1].starts_with("b "),
        "{heard:?}"
    );
}

#[test]
fn o1_a_module_beside_a_function_of_its_name_is_no_hindrance() {
    assert_eq!(
        heard(Shared),
        ["o_linked::shared", "o_linked::shared::shared"]
    );
}

#[test]
fn o2_relations_hold_across_typed_and_pattern_listeners_by_path_and_by_id() {
    assert_eq!(
        heard(Related),
        ["first", "second", "third", "last but one", "last"]
    );
}

#[test]
fn o2_a_relation_to_a_listener_that_the_bus_left_out_is_ignored() {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .without((third, opening::first))
        .build()
        .unwrap();

    bus.emit(Related);

    // Without `third` nothing keeps `second` before `last_but_one` but their lines.
    assert_eq!(log.take(), ["last but one", "last", "second"]);
}

#[test]
fn o1_the_catalog_lists_listeners_in_the_order_of_their_phases_and_places() {
    let phases: Vec<_> = tidings::catalog()
        .listeners()
        .iter()
        .filter(|l| l.hears() == ["phased"])
        .map(ListenerInfo::function)
        .collect();

    assert_eq!(phases, ["phased_early", "phased_main", "phased_late"]);
}
