//! S5: a renamed dependency in `link!` without its own name.

use tidings::{Bus, Code, catalog};

tidings::link!(shipping);

#[test]
fn s5_a_renamed_dependency_without_its_own_name_is_a_build_error_that_shows_the_form() {
    let error = Bus::builder().build().unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::NothingLinked);
    assert_eq!(
        problem.message(),
        "`tidings::link!(shipping)` names a crate that registers neither an event nor a listener"
    );
    assert!(
        problem
            .help()
            .ends_with("write `link!(shipping = \"its-own-name\")`"),
        "{}",
        problem.help()
    );
}

#[test]
fn s5_a_renamed_dependency_is_linked_all_the_same() {
    assert!(
        catalog()
            .listeners()
            .iter()
            .any(|listener| listener.id() == "its_own_name::track")
    );
}
