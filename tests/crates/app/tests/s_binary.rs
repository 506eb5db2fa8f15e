//! S5 in a real binary: nothing but `link!` names the libraries.

use std::process::Command;

#[test]
fn s5_a_binary_has_the_listeners_of_the_crates_it_links_and_the_forgotten_one_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_link-app"))
        .output()
        .unwrap();

    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let expected = "its_own_name::track\n\
        linked::note\n\
        linked.nested\n\
        the bus cannot be built: 1 problem\n  \
        [unknown-crate] no listener of the crate `unlinked` is linked; did you mean `linked`?\n    \
        help: a dependency that no code names is not linked: write `tidings::link!(unlinked);` in the binary\n";
    assert_eq!(printed, expected);
}
