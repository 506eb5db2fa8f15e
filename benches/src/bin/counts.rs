//! Prints how many instructions one emit takes, or one item of an event loop, counted by callgrind.
//!
//! Without arguments it runs itself under valgrind, twice for every case. A run with twice as many differs from the first by
//! these alone, so the start of the program does not count.

#[path = "event_loop/ours.rs"]
mod looped;

use std::error::Error;
use std::process::Command;

use tidings_benches::harness::per_call;
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
    "tidings call_soon",
    "tidings call_soon captured",
    "tidings insert",
    "tidings churn",
    "tidings reset",
    "tidings fire",
    "tidings join",
    "tidings join in groups",
    "tidings yields",
    "tidings promise",
];

const CALLS: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => count_all(),
        [case, calls] => run(case, calls.parse()?),
        _ => Err("usage: counts [CASE CALLS]".into()),
    }
}

fn run(case: &str, calls: u64) -> Result<(), Box<dyn Error>> {
    let bus = ours::install()?;
    let mut known = ours::contestants(&bus).into_iter().chain(ours::floors());
    if let Some(mut contestant) = known.find(|contestant| contestant.name() == case) {
        contestant.run(calls);
        return Ok(());
    }
    let mut known = looped::workloads()?.into_iter();
    let found = known.find(|workload| workload.name() == case);
    let mut workload = found.ok_or_else(|| format!("there is no case `{case}`"))?;
    // What a loop keeps for later items is there from then on.
    workload.run(2 * CALLS)?;
    workload.run(calls).map(drop)
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
