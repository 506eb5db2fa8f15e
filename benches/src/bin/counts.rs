//! Prints how many instructions one emit takes, counted by callgrind.
//!
//! Without arguments it runs itself under valgrind, twice for every case. A run with twice as many emits differs from the first by
//! the emits alone, so the start of the program does not count.

use std::error::Error;
use std::process::Command;

use tidings::Bus;
use tidings_benches::harness::{Contestant, per_call};
use tidings_benches::ours;

const CASES: &[&str] = &[
    "call/0",
    "functions/1",
    "functions/10",
    "closures/10",
    "tidings/0",
    "tidings/1",
    "tidings/10",
    "tidings with state/10",
    "tidings generic/1",
    "tidings subscription/1",
    "tidings free/1",
    "tidings free/10",
];

const CALLS: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => count_all(),
        [case, calls] => {
            let bus = ours::install()?;
            find(&bus, case)?.run(calls.parse()?);
            Ok(())
        }
        _ => Err("usage: counts [CASE CALLS]".into()),
    }
}

fn find(bus: &Bus, case: &str) -> Result<Contestant, Box<dyn Error>> {
    let mut known = ours::contestants(bus).into_iter().chain(ours::floors());
    let found = known.find(|contestant| contestant.name() == case);
    found.ok_or_else(|| format!("there is no case `{case}`").into())
}

fn count_all() -> Result<(), Box<dyn Error>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped\tvalgrind is not installed");
        return Ok(());
    }
    for case in CASES {
        let difference = u32::try_from(count(case, 2 * CALLS)? - count(case, CALLS)?)?;
        let each = per_call(f64::from(difference), CALLS);
        println!("instructions {case}\t{each}");
    }
    Ok(())
}

/// Runs one case under callgrind and returns the instructions of the whole process.
fn count(case: &str, calls: u64) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([case, &calls.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let counted = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match counted {
        Some((_, count)) if output.status.success() => Ok(count.trim().parse()?),
        _ => Err(format!("valgrind failed for `{case}`:\n{text}").into()),
    }
}
