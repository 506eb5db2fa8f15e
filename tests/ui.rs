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

/// Cases of their own, since trybuild compiles all cases with the features of this test.
#[test]
fn e4_serde_without_the_feature_json_is_one_error_that_names_it() {
    let source =
        "#[tidings::event(serde)]\nstruct Placed;\n\nfn main() {\n    tidings::emit(Placed);\n}\n";
    let expected = "error: `#[event(serde)]` needs the feature `json`: write `tidings = { version = \"..\", features = [\"json\"] }`";
    assert_one_error_without_features("serde-without-json", source, expected, "1:18");
}

#[test]
fn a_queue_without_the_feature_runtime_is_one_error_that_names_it() {
    let source = r#"#[tidings::event]
struct Placed {
    number: u32,
}

#[tidings::listener(retry = 3, queue = 64, backoff = "1ms..5s", retry_if = |e| e.is::<Late>(), when = |e| e.number > 1)]
fn book(_: &Placed, shelf: &Shelf) -> Result<(), Late> {
    let _ = shelf;
    Err(Late)
}

struct Shelf;

#[derive(Debug)]
struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("late")
    }
}

impl std::error::Error for Late {}

fn main() {}
"#;
    let expected = "error: a listener with a `queue` needs the feature `runtime`: write `tidings = { version = \"..\", features = [\"runtime\"] }`";
    assert_one_error_without_features("queue-without-runtime", source, expected, "6:32");
}

#[test]
fn a_timed_listener_without_the_feature_runtime_is_one_error_that_names_it() {
    let source = "#[tidings::listener(missed = \"burst\", every = \"10s\")]\nfn tick(cx: tidings::Context<'_>, count: &u32) -> Result<(), String> {\n    let _ = (cx, count);\n    Ok(())\n}\n\nfn main() {}\n";
    let expected = "error: a listener with `every`, `debounce` or `throttle` needs the feature `runtime`: write `tidings = { version = \"..\", features = [\"runtime\"] }`";
    assert_one_error_without_features("every-without-runtime", source, expected, "1:39");
}

#[test]
fn main_without_the_feature_signal_is_one_error_that_names_it() {
    let source = "struct Db;\n\nfn setup(bus: tidings::BusBuilder) -> tidings::BusBuilder {\n    bus.state(Db)\n}\n\n#[tidings::main(grace = \"5s\", bus = setup)]\nasync fn main() -> Result<(), String> {\n    Err(String::new())\n}\n";
    let expected = "error: `#[main]` needs the feature `signal`: write `tidings = { version = \"..\", features = [\"signal\"] }`";
    assert_one_error_without_features("main-without-signal", source, expected, "7:1");
}

/// Compiles a program against this package without features.
fn assert_one_error_without_features(name: &str, source: &str, expected: &str, place: &str) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let user = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(user.join("src")).expect("the folder can be made");
    let path = package.to_str().expect("the path is text");
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntidings = {{ path = {path:?}, default-features = false }}\n"
    );
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
    assert_eq!(errors, [expected], "{stderr}");
    assert!(
        stderr.contains(&format!("src/main.rs:{place}\n")),
        "{stderr}"
    );
}
