//! What the programs measured.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::{Command, Stdio};

use crate::cargo::target;

use super::python::Python;

/// The lines that the programs printed: a key and its values, one of each process.
#[derive(Default)]
pub(super) struct Measured {
    values: BTreeMap<String, Vec<f64>>,
    pub(super) skipped: Vec<String>,
}

impl Measured {
    /// A Python with uvloop; what needs it is skipped where there is none.
    pub(super) fn python(&mut self) -> Option<Python> {
        let found = Python::find();
        if let Err(why) = &found {
            let what = "event_loop and echo: asyncio and uvloop";
            self.skipped.push(format!("{what}, as {why}"));
        }
        found.ok()
    }

    pub(super) fn add(
        &mut self,
        program: &str,
        arguments: &[String],
    ) -> Result<(), Box<dyn Error>> {
        let shown = [&[program.to_owned()], arguments].concat().join(" ");
        println!("    {shown}");
        // Not through `cargo run`: an edit while this runs must not put two states of the code into one page.
        let mut command = Command::new(target().join("release").join(program));
        let output = command.args(arguments).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("`{shown}` ended with {}", output.status).into());
        }
        let text = String::from_utf8(output.stdout)?;
        for line in text.lines() {
            let (key, value) = line
                .split_once('\t')
                .ok_or_else(|| format!("`{program}` printed `{line}`"))?;
            if key == "skipped" {
                self.skipped.push(format!("{program}: {value}"));
            } else {
                let values = self.values.entry(key.to_owned()).or_default();
                values.push(value.parse()?);
            }
        }
        Ok(())
    }

    /// The middle of the values of one key, the upper one of two.
    pub(super) fn get(&self, key: &str) -> Result<f64, String> {
        let mut values = self.values.get(key).cloned().unwrap_or_default();
        values.sort_by(f64::total_cmp);
        let middle = values.get(values.len() / 2).copied();
        middle.ok_or_else(|| format!("no program printed `{key}`"))
    }

    /// All keys that start with these words, with the rest of the key.
    pub(super) fn all<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let keys = self.values.keys().filter_map(move |key| {
            let rest = key.strip_prefix(start)?;
            Some((rest, self.get(key).ok()?))
        });
        keys.filter(|(rest, _)| !rest.is_empty())
    }
}
