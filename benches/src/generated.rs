//! Crates of many listeners, written into the target directory.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LISTENERS_PER_EVENT: usize = 20;

/// A crate with or without the attributes of `tidings`, otherwise the same.
#[derive(Debug)]
pub struct Crate {
    name: String,
    listeners: usize,
    annotated: bool,
}

impl Crate {
    /// Describes a program with 20 functions for each event.
    pub fn new(name: &str, listeners: usize, annotated: bool) -> Self {
        Self {
            name: name.to_owned(),
            listeners,
            annotated,
        }
    }

    /// Writes the crate. What is already there stays untouched, so that cargo compiles it only once.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self) -> Result<(), Box<dyn Error>> {
        let folder = folder()?.join(&self.name);
        fs::create_dir_all(folder.join("src"))?;
        write_if_new(&folder.join("Cargo.toml"), &self.manifest())?;
        // The versions of the workspace, without asking the registry for newer ones.
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
        write_if_new(&folder.join("src/main.rs"), &self.source()?)?;
        Ok(())
    }

    /// Writes the source once more, so that cargo takes it for changed.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn touch(&self) -> Result<(), Box<dyn Error>> {
        fs::write(
            folder()?.join(&self.name).join("src/main.rs"),
            self.source()?,
        )?;
        Ok(())
    }

    /// Runs cargo on the crate, with the build folder `target` beside it.
    ///
    /// # Errors
    ///
    /// When cargo fails.
    pub fn cargo(&self, arguments: &[&str], target: &str) -> Result<Output, Box<dyn Error>> {
        let output = Command::new("cargo")
            .args(arguments)
            .current_dir(folder()?.join(&self.name))
            .env("CARGO_TARGET_DIR", folder()?.join(target))
            .env("CARGO_INCREMENTAL", "0")
            .output()?;
        if output.status.success() {
            return Ok(output);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Err(format!("cargo {arguments:?} of {} failed:\n{text}", self.name).into())
    }

    fn manifest(&self) -> String {
        format!(
            "[package]\nname = \"{}\"\nedition = \"2024\"\n\n[dependencies]\ntidings = {{ path = '{}' }}\n\n[workspace]\n",
            self.name,
            root().display(),
        )
    }

    fn source(&self) -> Result<String, std::fmt::Error> {
        let mut source = String::from("#![allow(dead_code)]\n\n");
        for event in 0..self.listeners.div_ceil(LISTENERS_PER_EVENT) {
            self.module(&mut source, event)?;
        }
        source.push_str(if self.annotated { BUILD } else { BARE });
        Ok(source)
    }

    fn module(&self, source: &mut String, event: usize) -> std::fmt::Result {
        let (on_event, on_listener) = if self.annotated {
            ("#[tidings::event]", "#[tidings::listener]")
        } else {
            ("", "")
        };
        writeln!(source, "pub mod events_{event} {{")?;
        writeln!(
            source,
            "    {on_event}\n    pub struct Order{event} {{ pub amount: u64 }}"
        )?;
        let first = event * LISTENERS_PER_EVENT;
        for listener in first..self.listeners.min(first + LISTENERS_PER_EVENT) {
            writeln!(
                source,
                "    {on_listener}\n    pub fn hear_{listener}(order: &Order{event}) {{ std::hint::black_box(order.amount + {listener}); }}"
            )?;
        }
        writeln!(source, "}}\n")
    }
}

const BARE: &str = "fn main() {\n    println!(\"0\");\n}\n";

const BUILD: &str = "\
fn main() -> Result<(), tidings::BuildError> {
    let start = std::time::Instant::now();
    let bus = tidings::Bus::builder().build()?;
    println!(\"{}\", start.elapsed().as_nanos());
    assert_eq!(bus.emit(events_0::Order0 { amount: 1 }).report().ran(), 20);
    Ok(())
}
";

/// Returns the folder of the generated crates, in the target directory of this program.
///
/// # Errors
///
/// When the program does not lie in a target directory.
pub fn folder() -> Result<PathBuf, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2);
    let target = target.ok_or("the program is not in a target directory")?;
    Ok(target.join("generated"))
}

fn write_if_new(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(path, text)
}

fn root() -> &'static Path {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    benches
        .parent()
        .expect("the workspace is around this package because the manifest says so")
}
