//! S5: `link!` keeps the listeners of crates; S2 and S6 across crates.

use linked::Arrived;
use tidings::{Bus, Code, catalog, listener};

tidings::link!(declared, linked, shipping = "its-own-name");

#[listener]
fn local(_: &Arrived) {}

#[test]
fn s5_a_linked_crate_brings_its_listeners() {
    let bus = Bus::builder().build().unwrap();

    assert_eq!(bus.emit(Arrived).report().ran(), 3);
}

#[test]
fn s5_a_linked_crate_may_bring_events_alone() {
    let bus = Bus::builder().build().unwrap();
    bus.on_topic("declared.*", |_| {}).unwrap().forever();

    assert!(
        catalog()
            .events()
            .iter()
            .any(|event| event.topic() == "declared.only")
    );
    assert!(bus.emit(declared::Declared).report().heard());
}

#[test]
fn s5_a_renamed_dependency_is_linked_by_its_own_name() {
    let bus = Bus::builder().crates(["its-own-name"]).build().unwrap();

    assert_eq!(bus.emit(shipping::Left).report().ran(), 1);
    assert!(!bus.emit(Arrived).report().heard());
}

#[test]
fn s5_a_dependency_that_no_code_names_is_absent_and_named_with_the_line_to_add() {
    assert!(
        catalog()
            .listeners()
            .iter()
            .all(|listener| listener.crate_name() != "unlinked")
    );

    let error = Bus::builder()
        .crates(["linked", "unlinked"])
        .build()
        .unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::UnknownCrate);
    assert_eq!(
        problem.message(),
        "no listener of the crate `unlinked` is linked; did you mean `linked` or `s_linked`?"
    );
    assert_eq!(
        problem.help(),
        "a dependency that no code names is not linked: write `tidings::link!(unlinked);` in the binary"
    );
}

#[test]
fn s2_listeners_of_another_crate_are_chosen_by_function() {
    let only = Bus::builder().only((linked::note, local)).build().unwrap();
    let without = Bus::builder()
        .without(linked::nested::note)
        .build()
        .unwrap();

    assert_eq!(only.emit(Arrived).report().ran(), 2);
    assert_eq!(without.emit(Arrived).report().ran(), 2);
}

#[test]
fn s2_crates_are_chosen_by_name() {
    let theirs = Bus::builder().crates(["linked"]).build().unwrap();
    let own = Bus::builder().crates(["s_linked"]).build().unwrap();

    assert_eq!(theirs.emit(Arrived).report().ran(), 2);
    assert_eq!(own.emit(Arrived).report().ran(), 1);
}

#[test]
fn s6_an_integration_test_has_no_listener_of_the_librarys_unit_tests() {
    assert!(
        catalog()
            .listeners()
            .iter()
            .all(|listener| listener.function() != "only_in_unit_tests")
    );
    assert!(
        catalog()
            .events()
            .iter()
            .all(|event| event.topic() != "linked.tested")
    );
}
