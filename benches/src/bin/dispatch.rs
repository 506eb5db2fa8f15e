//! Prints the nanoseconds of one emit for every contestant, and the ratios that the reaches are about.

use std::error::Error;

use tidings_benches::harness::Samples;
use tidings_benches::{ours, peers};

const PAIRS: &[(&str, &str)] = &[
    ("tidings/0", "call/0"),
    ("tidings/1", "functions/1"),
    ("tidings/1", "bevy_ecs/1"),
    ("tidings/1", "evenio/1"),
    ("tidings/10", "functions/10"),
    ("tidings/10", "bevy_ecs/10"),
    ("tidings/10", "evenio/10"),
    ("tidings/10", "mod-events/10"),
    ("tidings/10", "tokio broadcast/10"),
    ("tidings/10", "locked map/10"),
    ("tidings with state/10", "closures/10"),
    ("tidings generic/1", "functions/1"),
    ("tidings subscription/1", "functions/1"),
    ("tidings free/1", "functions/1"),
    ("tidings free/10", "functions/10"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).ok_or("usage: dispatch ROUNDS")?;
    let bus = ours::install()?;
    let mut contestants = ours::contestants(&bus);
    contestants.extend(ours::floors());
    contestants.extend(peers::contestants());

    let samples = Samples::take(&mut contestants, rounds.parse()?);

    Ok(samples.print(PAIRS)?)
}
