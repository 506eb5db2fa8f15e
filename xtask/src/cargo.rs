use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::steps::Outcome;

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the root exists because xtask is a folder in it")
}

/// The folder in which cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A run of cargo in the root of the workspace.
pub(crate) struct Cargo {
    command: Command,
    shown: String,
}

impl Cargo {
    /// `arguments` are separated by spaces.
    pub(crate) fn new(arguments: &str) -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::with(Command::new(cargo), arguments, format!("cargo {arguments}"))
    }

    /// Cargo of another toolchain, which must be installed.
    pub(crate) fn of_toolchain(version: &str, arguments: &str) -> Self {
        let mut rustup = Command::new("rustup");
        rustup.args(["run", version, "cargo"]);
        let shown = format!("rustup run {version} cargo {arguments}");
        Self::with(rustup, arguments, shown)
    }

    fn with(mut command: Command, arguments: &str, shown: String) -> Self {
        command.args(arguments.split(' ')).current_dir(root());
        if env::var_os("CI").is_some() {
            // A build that is made once only pays for what the next one would save.
            command.env("CARGO_INCREMENTAL", "0");
        }
        Self { command, shown }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = format!("{name}={value:?} {}", self.shown);
        self
    }

    /// Builds in a folder of its own, so that other flags do not make the next step build everything again.
    pub(crate) fn target_dir(mut self, name: &str) -> Self {
        self.command.env("CARGO_TARGET_DIR", target().join(name));
        self
    }

    pub(crate) fn run(mut self) -> Result<Outcome, Box<dyn Error>> {
        println!("    {}", self.shown);
        let status = self.command.status()?;
        if status.success() {
            Ok(Outcome::Passed)
        } else {
            Err(format!("`{}` ended with {status}", self.shown).into())
        }
    }

    /// Runs and answers what was printed on standard output.
    pub(crate) fn stdout(mut self) -> Result<Vec<u8>, Box<dyn Error>> {
        let output = self.command.stderr(Stdio::inherit()).output()?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(format!("`{}` ended with {}", self.shown, output.status).into())
        }
    }
}
