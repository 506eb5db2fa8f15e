//! S5 and S6: a test binary that names no library has none of their listeners.

use tidings::{Bus, catalog};

#[test]
fn s6_an_integration_test_that_names_no_library_has_no_listeners() {
    assert!(catalog().listeners().is_empty());
    assert!(catalog().events().is_empty());
}

#[test]
fn s5_every_crate_that_was_forgotten_is_named() {
    let error = Bus::builder()
        .crates(["linked", "its-own-name"])
        .build()
        .unwrap_err();

    let helps: Vec<_> = error
        .problems()
        .iter()
        .map(tidings::Problem::help)
        .collect();
    assert_eq!(
        helps,
        [
            "a dependency that no code names is not linked: write `tidings::link!(linked);` in the binary",
            "a dependency that no code names is not linked: write `tidings::link!(its_own_name);` in the binary",
        ]
    );
}
