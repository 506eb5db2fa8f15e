//! Prints the nanoseconds that an item takes in event loops, and the ratios that the reaches are about.
//!
//! With the path of a Python interpreter that has uvloop, its loops are measured in the same rounds.

mod on_calloop;
mod on_tokio;
mod ours;
mod python;

use std::error::Error;

use tidings_benches::timed;

/// Ours, and what it is compared with where that took part.
const PAIRS: &[(&str, &str)] = &[
    ("tidings call_soon", "uvloop call_soon"),
    ("tidings call_soon", "asyncio call_soon"),
    ("tidings call_soon", "calloop call_soon"),
    ("tidings call_soon captured", "uvloop call_soon"),
    ("tidings chain", "uvloop chain"),
    ("tidings chain", "asyncio chain"),
    ("tidings insert", "uvloop insert"),
    ("tidings insert", "asyncio insert"),
    ("tidings insert", "calloop insert"),
    ("tidings churn", "uvloop churn"),
    ("tidings churn", "asyncio churn"),
    ("tidings reset", "tokio reset"),
    ("tidings join", "tokio join"),
    ("tidings join in groups", "tokio join in groups"),
    ("tidings join", "uvloop join"),
    ("tidings join", "asyncio join"),
    ("tidings join", "calloop spawn"),
    ("tidings yields", "tokio yields"),
    ("tidings yields", "uvloop yields"),
    ("tidings yields", "asyncio yields"),
    ("tidings promise", "uvloop promise"),
    ("tidings promise", "asyncio promise"),
    ("tidings threadsafe", "uvloop threadsafe"),
    ("tidings threadsafe", "asyncio threadsafe"),
    ("tidings threadsafe", "calloop threadsafe"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments
        .next()
        .ok_or("usage: event_loop ROUNDS [PYTHON]")?;
    let mut workloads = ours::workloads()?;
    workloads.extend(on_tokio::workloads()?);
    workloads.extend(on_calloop::workloads());
    if let Some(path) = arguments.next() {
        workloads.extend(python::workloads(&path)?);
    }

    let samples = timed::take(&mut workloads, rounds.parse()?)?;

    let known = |pair: &&(&str, &str)| samples.nanoseconds(pair.1).is_some();
    let pairs: Vec<_> = PAIRS.iter().filter(known).copied().collect();
    Ok(samples.print(&pairs)?)
}
