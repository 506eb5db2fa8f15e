//! What the compiler says to mistakes (`ui/fail`), and that the attributes get along with odd surroundings (`ui/pass`).
//!
//! After a change of words: `TRYBUILD=overwrite cargo test --all-features --test ui`, and read the difference.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn mistakes_are_explained_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn l8_odd_surroundings_are_no_problem() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

/// A case of its own, since trybuild compiles all cases with the features of this test.
#[test]
fn e4_serde_without_the_feature_json_is_one_error_that_names_it() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let user = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serde-without-json");
    fs::create_dir_all(user.join("src")).expect("the folder can be made");
    let manifest = format!(
        "[package]\nname = \"serde-without-json\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntidings = {{ path = {package:?}, default-features = false }}\n"
    );
    let source =
        "#[tidings::event(serde)]\nstruct Placed;\n\nfn main() {\n    tidings::emit(Placed);\n}\n";
    fs::write(user.join("Cargo.toml"), manifest).expect("the manifest can be written");
    fs::write(user.join("src/main.rs"), source).expect("the program can be written");
    // The versions of the workspace, since there may be no network.
    fs::copy(package.join("Cargo.lock"), user.join("Cargo.lock"))
        .expect("the lock file can be copied");

    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--color=never"])
        .current_dir(&user)
        .env("CARGO_TARGET_DIR", user.join("target"))
        .output()
        .expect("cargo runs");

    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<_> = stderr
        .lines()
        .filter(|line| line.starts_with("error") && !line.contains("could not compile"))
        .collect();
    let expected = "error: `#[event(serde)]` needs the feature `json`: write `tidings = { version = \"..\", features = [\"json\"] }`";
    assert_eq!(errors, [expected], "{stderr}");
    assert!(stderr.contains("src/main.rs:1:18"), "{stderr}");
}
