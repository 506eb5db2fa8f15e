//! Prints what `cargo check` takes for 1,000 listeners over 50 events, and what a clean build of `tidings` takes.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::time::Instant;

use tidings_benches::generated::{self, Crate};
use tidings_benches::harness::median;

const LISTENERS: usize = 1000;

/// Linux counts the time of processes in these, whatever the hardware.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).ok_or("usage: compile ROUNDS")?;
    check(rounds.parse()?)?;
    clean_build()
}

fn check(rounds: usize) -> Result<(), Box<dyn Error>> {
    let plain = Crate::new("check-plain", LISTENERS, false);
    let annotated = Crate::new("check-annotated", LISTENERS, true);
    plain.write()?;
    annotated.write()?;
    // The first round compiles the dependencies.
    seconds_of_check(&plain)?;
    seconds_of_check(&annotated)?;
    let (mut without, mut with, mut more) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        let (plain, annotated) = (seconds_of_check(&plain)?, seconds_of_check(&annotated)?);
        without.push(plain);
        with.push(annotated);
        more.push(annotated - plain);
    }
    for (key, values) in [
        ("check plain s", without),
        ("check annotated s", with),
        ("check more s", more),
    ] {
        println!("{key}\t{}", median(values).ok_or("there are no rounds")?);
    }
    Ok(())
}

/// Returns the processor seconds of one check, of the crate alone.
fn seconds_of_check(generated: &Crate) -> Result<f64, Box<dyn Error>> {
    generated.touch()?;
    let before = seconds_of_children()?;
    generated.cargo(&["check"], "target")?;
    Ok(seconds_of_children()? - before)
}

fn clean_build() -> Result<(), Box<dyn Error>> {
    let generated = Crate::new("build-clean", 0, false);
    generated.write()?;
    let target = generated::folder()?.join("clean");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let (before, start) = (seconds_of_children()?, Instant::now());
    generated.cargo(&["build"], "clean")?;
    println!("clean wall s\t{}", start.elapsed().as_secs_f64());
    println!("clean cpu s\t{}", seconds_of_children()? - before);

    let tree = [
        "tree",
        "--edges=normal,build",
        "--prefix=none",
        "--no-dedupe",
        "--format={p}",
    ];
    let output = generated.cargo(&tree, "clean")?;
    let text = String::from_utf8(output.stdout)?;
    let names = text.lines().filter(|line| !line.starts_with("build-clean"));
    let crates: BTreeSet<&str> = names.filter_map(|line| line.split(' ').next()).collect();
    println!("clean crates\t{}", crates.len());
    Ok(())
}

/// Returns the processor seconds, in user and system mode, of all children that have ended.
fn seconds_of_children() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/stat")
        .map_err(|error| format!("processor time is read from /proc/self/stat: {error}"))?;
    // The name of the program stands in parentheses and may contain anything.
    let (_, fields) = text.rsplit_once(')').ok_or("/proc/self/stat has no name")?;
    let children: Vec<f64> = fields
        .split_whitespace()
        .skip(13)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(children.iter().sum::<f64>() / TICKS_PER_SECOND)
}
