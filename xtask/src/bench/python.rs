//! A Python with uvloop, for the loops that ours is compared with.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::cargo::target;

/// An interpreter that has uvloop.
pub(super) struct Python {
    pub(super) path: PathBuf,
    /// The words for the page.
    pub(super) versions: String,
}

const VERSIONS: &str = "import platform, uvloop; print(f'Python {platform.python_version()}, uvloop {uvloop.__version__}', end='')";

impl Python {
    /// Makes a virtual environment in the folder of the builds, once.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(super) fn find() -> Result<Self, String> {
        let home = target().join("python");
        let path = home.join("bin").join("python");
        if versions(&path).is_err() {
            println!(
                "    python3 -m venv {} && pip install uvloop",
                home.display()
            );
            run(Command::new("python3").args(["-m", "venv"]).arg(&home))
                .map_err(|why| format!("`python3 -m venv` makes no environment: {why}"))?;
            run(Command::new(&path).args(["-m", "pip", "install", "--quiet", "uvloop"]))
                .map_err(|why| format!("`pip install uvloop` has no success: {why}"))?;
        }
        let versions = versions(&path)?;
        Ok(Self { path, versions })
    }
}

fn versions(path: &PathBuf) -> Result<String, String> {
    let output = run(Command::new(path).args(["-c", VERSIONS]))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What it printed, or the last line of what it said about its failure.
fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(last.unwrap_or("it ended with an error").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::run;

    #[test]
    fn a_program_that_is_not_there_is_a_reason() {
        let none = Command::new("no such program").output();
        let reason = run(&mut Command::new("no such program")).err();
        assert_eq!(reason, none.err().map(|error| error.to_string()));
    }
}
