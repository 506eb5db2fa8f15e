//! S5: a crate in `link!` that registers nothing.

use tidings::{Bus, Code};

tidings::link!(plain, linked);

#[test]
fn s5_a_linked_crate_that_registers_nothing_is_a_build_error() {
    let error = Bus::builder().build().unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::NothingLinked);
    assert_eq!(
        problem.message(),
        "`tidings::link!(plain)` names a crate that registers neither an event nor a listener"
    );
    assert_eq!(
        problem.help(),
        "take it out; or, if `plain` is a renamed dependency, write `link!(plain = \"its-own-name\")`"
    );
    let location = problem.location().unwrap();
    assert!(
        location.file().ends_with("s_nothing_linked.rs"),
        "{location}"
    );
    assert_eq!(location.line(), 5);
}
