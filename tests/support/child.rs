//! Runs one test of this program again as a process of its own, to read what it prints.

use std::process::{Command, Stdio};

const CHILD: &str = "TIDINGS_TEST_CHILD";

/// Whether this is the process of its own.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// The lines of ours on stderr after the test `name` ran alone.
pub(crate) fn printed_by(name: &str) -> Vec<String> {
    let stderr = passes_with_stderr(name, Stdio::piped());
    stderr
        .lines()
        .filter(|line| line.starts_with("tidings: "))
        .map(str::to_owned)
        .collect()
}

/// Runs the test `name` alone and expects it to pass; what it wrote to a piped stderr.
pub(crate) fn passes_with_stderr(name: &str, stderr: impl Into<Stdio>) -> String {
    let program = std::env::current_exe().expect("a running program has a path");
    let child = Command::new(program)
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .expect("the program runs again");
    let output = child.wait_with_output().expect("the program ends");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}\n{stderr}"
    );
    stderr
}
