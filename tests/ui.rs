//! What the compiler says to mistakes (`ui/fail`), and that the attributes get along with odd surroundings (`ui/pass`).
//!
//! After a change of words: `TRYBUILD=overwrite cargo test --all-features --test ui`, and read the difference.

#[test]
fn mistakes_are_explained_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn l8_odd_surroundings_are_no_problem() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
