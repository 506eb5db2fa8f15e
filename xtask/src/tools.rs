//! What the commands need beside cargo, and what they only use where it is there.

use std::{
    error::Error,
    process::{Command, Stdio},
};

/// Components of Rust that a minimal installation lacks.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Optional programs and what is missing without them.
const PROGRAMS: [(&str, &str); 2] = [
    (
        "valgrind",
        "`cargo xtask bench` then counts no instructions",
    ),
    (
        "python3",
        "`cargo xtask bench` then measures no loops of Python",
    ),
];

/// Fails if a component is missing, with the command that adds it.
pub(crate) fn check_components() -> Result<(), Box<dyn Error>> {
    for (command, component) in COMPONENTS {
        if !answers("cargo", &[command, "--version"]) {
            return Err(format!(
                "`cargo {command}` is missing; add it with `rustup component add {component}`"
            )
            .into());
        }
    }
    Ok(())
}

/// Prints a line for every optional program that is not there. The tests need none of them.
pub(crate) fn name_missing() {
    for (program, without) in PROGRAMS {
        if !answers(program, &["--version"]) {
            println!("optional {program} is not installed: {without}");
        }
    }
}

/// Says that a toolchain is missing and how to get it, or nothing if it is there.
pub(crate) fn missing_toolchain(version: &str) -> Option<String> {
    // Asking rustup to run it would install it.
    let listed = Command::new("rustup").args(["toolchain", "list"]).output();
    let installed = listed.is_ok_and(|listed| {
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        text.lines().any(|line| is_version(line, version))
    });
    (!installed).then(|| {
        format!("Rust {version} is not installed; add it with `rustup toolchain install {version} --profile minimal`")
    })
}

/// Whether a line such as `1.85-x86_64-unknown-linux-gnu (default)` is this version.
fn is_version(line: &str, version: &str) -> bool {
    line.strip_prefix(version)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ' ']))
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn a_toolchain_is_known_by_its_whole_version() {
        assert!(is_version("1.85-x86_64-unknown-linux-gnu", "1.85"));
        assert!(is_version("1.85-aarch64-apple-darwin (default)", "1.85"));
        assert!(!is_version("1.85.1-x86_64-unknown-linux-gnu", "1.85"));
        assert!(!is_version("nightly-x86_64-unknown-linux-gnu", "1.85"));
    }
}
