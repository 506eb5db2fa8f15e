use std::error::Error;

use crate::{cargo::Cargo, examples, tools};

/// The oldest Rust that the published packages promise. The root `Cargo.toml` has the same number.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Those of `tidings` that switch others on or leave parts out.
const FEATURES: &[&str] = &[
    "json",
    "runtime",
    "signal",
    "tokio",
    "transport",
    "tls",
    "wire",
];

/// One part of the test command.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn() -> Result<Outcome, Box<dyn Error>>,
}

/// How a step that did not fail has ended.
pub(crate) enum Outcome {
    Passed,
    /// Something optional is missing. The text says what, and how to get it.
    Skipped(String),
}

/// All steps in the order in which they run: the quick ones first.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "the code is formatted",
        run: || Cargo::new("fmt --all --check").run(),
    },
    Step {
        name: "clippy",
        about: "no warnings with default features",
        run: || Cargo::new("clippy --workspace --all-targets -- -D warnings").run(),
    },
    Step {
        name: "clippy-all",
        about: "no warnings with all features",
        run: || Cargo::new("clippy --workspace --all-targets --all-features -- -D warnings").run(),
    },
    Step {
        name: "no-default",
        about: "the packages build without any feature, and with each alone",
        run: || {
            let packages =
                "-p tidings -p event-core -p event-macros -p event-runtime -p event-transport";
            Cargo::new(&format!("check {packages} --no-default-features")).run()?;
            for feature in FEATURES {
                let check = format!("check -p tidings --no-default-features --features {feature}");
                Cargo::new(&check).run()?;
            }
            Ok(Outcome::Passed)
        },
    },
    Step {
        name: "tests",
        about: "all tests with all features, the UI tests among them",
        run: || {
            Cargo::new(
                "test --workspace --all-features --no-fail-fast --lib --bins --tests --examples",
            )
            .run()
        },
    },
    Step {
        name: "tests-default",
        about: "the tests of `tidings` with default features",
        run: || Cargo::new("test -p tidings --no-fail-fast --lib --tests").run(),
    },
    Step {
        name: "doc-tests",
        about: "the examples in the documentation",
        run: || Cargo::new("test --workspace --all-features --no-fail-fast --doc").run(),
    },
    Step {
        name: "docs",
        about: "the documentation builds without warnings",
        run: || {
            Cargo::new("doc --workspace --all-features --no-deps")
                .env("RUSTDOCFLAGS", "-D warnings")
                .run()
        },
    },
    Step {
        name: examples::NAME,
        about: "the examples print what they should",
        run: examples::check,
    },
    Step {
        name: "loom",
        about: "the models of what threads share",
        run: || {
            Cargo::new("test -p loom-models --release")
                .env("RUSTFLAGS", "--cfg tidings_loom")
                .target_dir("loom")
                .run()
        },
    },
    Step {
        name: "oldest-rust",
        about: "the published packages build with the oldest Rust they promise",
        run: || {
            if let Some(missing) = tools::missing_toolchain(OLDEST_RUST) {
                return Ok(Outcome::Skipped(missing));
            }
            Cargo::of_toolchain(OLDEST_RUST, "check -p tidings --all-features")
                .target_dir("oldest-rust")
                .run()
        },
    },
];
