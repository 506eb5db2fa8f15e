//! The output of every program in `examples/` against the file of its name in `examples/expected/`.

use std::{collections::BTreeSet, error::Error, ffi::OsStr, fs, path::PathBuf};

use crate::{
    cargo::{self, Cargo},
    steps::Outcome,
};

/// The name of this step.
pub(crate) const NAME: &str = "examples";

/// Compares the output of every example.
pub(crate) fn check() -> Result<Outcome, Box<dyn Error>> {
    let examples = names(programs(), "rs")?;
    let expected = names(recorded(), "txt")?;
    if examples.is_empty() {
        return Err(format!("no example is in {}", programs().display()).into());
    }
    let mut problems = Vec::new();
    for name in expected.difference(&examples) {
        problems.push(format!(
            "{name}: output is expected, but there is no such example"
        ));
    }
    for name in &examples {
        if !expected.contains(name) {
            problems.push(format!("{name}: no file says what it should print"));
            continue;
        }
        let expected = fs::read_to_string(recorded().join(name).with_extension("txt"))?;
        match difference(&expected, &output(name)?) {
            None => println!("    {name} prints what it should"),
            Some(difference) => problems.push(format!("{name}: {difference}")),
        }
    }
    if problems.is_empty() {
        return Ok(Outcome::Passed);
    }
    Err(format!(
        "{}\nif the new output is right, write it with `cargo xtask test {NAME} --bless`",
        problems.join("\n"),
    )
    .into())
}

/// Writes what the examples print now, and removes what no example prints any more.
pub(crate) fn bless() -> Result<(), Box<dyn Error>> {
    let examples = names(programs(), "rs")?;
    fs::create_dir_all(recorded())?;
    for name in names(recorded(), "txt")?.difference(&examples) {
        fs::remove_file(recorded().join(name).with_extension("txt"))?;
        println!("removed {name}");
    }
    for name in &examples {
        fs::write(recorded().join(name).with_extension("txt"), output(name)?)?;
        println!("wrote {name}");
    }
    Ok(())
}

fn programs() -> PathBuf {
    cargo::root().join("examples")
}

fn recorded() -> PathBuf {
    programs().join("expected")
}

/// The stems of the files with this extension, sorted.
fn names(folder: PathBuf, extension: &str) -> Result<BTreeSet<String>, Box<dyn Error>> {
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            let stem = path.file_stem().and_then(OsStr::to_str);
            names.insert(
                stem.ok_or_else(|| format!("{} is not UTF-8", path.display()))?
                    .into(),
            );
        }
    }
    Ok(names)
}

fn output(name: &str) -> Result<String, Box<dyn Error>> {
    let run = format!("run --quiet -p tidings --all-features --example {name}");
    Ok(String::from_utf8(Cargo::new(&run).stdout()?)?)
}

/// The first line in which the texts differ.
fn difference(expected: &str, found: &str) -> Option<String> {
    let (mut wanted, mut got) = (expected.lines(), found.lines());
    for number in 1.. {
        match (wanted.next(), got.next()) {
            (None, None) => break,
            (wanted, got) if wanted == got => {}
            (wanted, got) => {
                let shown =
                    |line: Option<&str>| line.map_or("nothing".into(), |line| format!("{line:?}"));
                return Some(format!(
                    "line {number} is {}, expected {}",
                    shown(got),
                    shown(wanted),
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn equal_texts_do_not_differ_whatever_their_line_ends() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\r\nb\r\n", "a\nb\n"), None);
    }

    #[test]
    fn the_first_different_line_is_shown() {
        assert_eq!(
            difference("a\nb\n", "a\nc\n"),
            Some(r#"line 2 is "c", expected "b""#.into()),
        );
        assert_eq!(
            difference("a\n", "a\nb\n"),
            Some(r#"line 2 is "b", expected nothing"#.into()),
        );
        assert_eq!(
            difference("a\n\n", "a\n"),
            Some(r#"line 2 is nothing, expected """#.into()),
        );
    }
}
