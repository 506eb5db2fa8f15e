//! O1: one program, built in many ways, has one order.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names, and what `cargo run` is told. Incremental is on in the first and the third, and off in all others.
const BUILDS: [(&str, &[&str]); 6] = [
    ("debug", &[]),
    (
        "incremental off, codegen-units 1",
        &[
            "--config",
            "profile.dev.incremental=false",
            "--config",
            "profile.dev.codegen-units=1",
        ],
    ),
    (
        "codegen-units 16, a feature more",
        &[
            "--config",
            "profile.dev.codegen-units=16",
            "--features",
            "extra",
        ],
    ),
    ("release", &["--release"]),
    (
        "thin LTO",
        &["--release", "--config", "profile.release.lto='thin'"],
    ),
    (
        "fat LTO, codegen-units 1",
        &[
            "--release",
            "--config",
            "profile.release.lto='fat'",
            "--config",
            "profile.release.codegen-units=1",
        ],
    ),
];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/order")
}

/// Builds the fixture and gives what it prints.
fn order(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--target-dir",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/order"),
        ])
        .args(arguments)
        .current_dir(fixture())
        .env_remove("CARGO_INCREMENTAL")
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("ids are text")
}

#[test]
fn o1_the_order_is_the_same_however_the_program_is_built() {
    // The versions that the workspace has, so that nothing else is fetched.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    fs::copy(workspace, fixture().join("Cargo.lock")).expect("the workspace has a lock file");
    let expected =
        fs::read_to_string(fixture().join("expected.txt")).expect("the fixture says its order");

    for (name, arguments) in BUILDS {
        assert_eq!(order(arguments), expected, "{name}");
    }
}
