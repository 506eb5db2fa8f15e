//! Prints the nanoseconds of one awaited emission for every contestant, and the ratios that the reaches are about.

mod asynchronous;

use std::error::Error;

use tidings_benches::harness::Samples;
use tidings_benches::peers;

const OURS: [[&str; 2]; 2] = [
    ["tidings in task/1", "tidings on tokio/1"],
    ["tidings in task/10", "tidings on tokio/10"],
];

const PEERS: [[&str; 3]; 2] = [
    ["mod-events async/1", "tokio spawn/1", "kameo/1"],
    ["mod-events async/10", "tokio spawn/10", "kameo/10"],
];

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).ok_or("usage: awaited ROUNDS")?;
    let runtime = asynchronous::runtime()?;
    let mut contestants = asynchronous::contestants(&runtime)?;
    contestants.extend(peers::awaited(&runtime));

    let samples = Samples::take(&mut contestants, rounds.parse()?);

    let pairs: Vec<_> = OURS
        .iter()
        .zip(&PEERS)
        .flat_map(|(ours, peers)| ours.map(|ours| peers.map(|peer| (ours, peer))))
        .flatten()
        .collect();
    Ok(samples.print(&pairs)?)
}
