//! L5: two listeners with one id. A program of its own, since no bus with listeners can be built in it.

use tidings::{Bus, Code, event, listener};

#[event]
struct Rang;

fn one() {
    #[listener]
    fn ring(_: &Rang) {}
    ring(&Rang);
}

fn two() {
    #[listener]
    fn ring(_: &Rang) {}
    ring(&Rang);
}

#[listener(id = "bells.door")]
fn door(_: &Rang) {}

#[listener(id = "bells.door")]
fn gate(_: &Rang) {}

#[test]
fn l5_two_listeners_with_one_id_are_a_build_error_that_names_both_places() {
    one();
    two();

    let error = Bus::builder().build().unwrap_err();

    let file = file!();
    let mut found: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.message().to_owned())
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            format!("two listeners have the id `bells.door`: at {file}:21:4 and at {file}:24:4"),
            format!(
                "two listeners have the id `l_duplicate_ids::ring`: at {file}:10:8 and at {file}:16:8"
            ),
        ]
    );
    for problem in error.problems() {
        assert_eq!(problem.code(), Code::DuplicateId);
        assert_eq!(
            problem.help(),
            "give one of them an id of its own: `#[listener(id = \"..\")]`"
        );
        assert!(problem.location().is_some());
    }
}

#[test]
fn l5_a_bus_for_subscriptions_only_does_not_mind() {
    let bus = Bus::empty();
    bus.on(|_: &Rang| {}).forever();

    assert_eq!(bus.emit(Rang).report().ran(), 1);
}
