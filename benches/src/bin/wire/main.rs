//! Prints what an event that crosses from one process to another costs both, by a link and by a loop that is written by hand.

mod by_hand;
mod ours;

use std::error::Error;
use std::process::Command;

use serde::{Deserialize, Serialize};
use tidings::{event, listener};
use tidings_benches::process::{Server, Used};
use tidings_benches::work;
use tokio::runtime::Builder;

/// Of one sample.
const EVENTS: u32 = 50_000;

#[event("bench.reading", serde)]
#[derive(Serialize, Deserialize)]
pub(crate) struct Reading {
    sensor: u64,
    celsius: f64,
    place: String,
}

pub(crate) fn reading(number: u64) -> Reading {
    Reading {
        sensor: number,
        celsius: 20.5,
        place: "the hall of the second floor".to_owned(),
    }
}

#[listener]
pub(crate) fn heard(e: &Reading) {
    hear(e);
}

pub(crate) fn hear(e: &Reading) {
    work::add(e.sensor, 0);
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    match *arguments.as_slice() {
        ["serve", "tidings"] => runtime.block_on(ours::serve()),
        ["serve", "by hand"] => runtime.block_on(by_hand::serve()),
        ["send", who, port] => {
            let port = port.parse()?;
            match who {
                "tidings" => runtime.block_on(ours::send(port, EVENTS.into()))?,
                _ => runtime.block_on(by_hand::send(port, EVENTS.into()))?,
            }
            println!("{}", Used::of("self")?.total.as_nanos());
            Ok(())
        }
        _ if !cfg!(target_os = "linux") => {
            println!("skipped\tprocessor time of other processes is read on Linux only");
            Ok(())
        }
        [rounds] => measure(rounds.parse()?),
        _ => Err("usage: wire ROUNDS".into()),
    }
}

/// One that takes part, and nanoseconds of both sides for an event, one of each round.
struct Contestant {
    name: &'static str,
    server: Server,
    samples: Vec<f64>,
}

impl Contestant {
    fn new(name: &'static str) -> Result<Self, Box<dyn Error>> {
        let own = std::env::current_exe()?;
        Ok(Self {
            name,
            server: Server::start(Command::new(own).args(["serve", name]))?,
            samples: Vec::new(),
        })
    }

    fn sample(&mut self) -> Result<f64, Box<dyn Error>> {
        let process = self.server.id();
        let before = Used::of(&process)?;
        let port = self.server.port.to_string();
        let own = std::env::current_exe()?;
        let sent = Command::new(own)
            .args(["send", self.name, &port])
            .output()?;
        if !sent.status.success() {
            return Err(String::from_utf8_lossy(&sent.stderr).into());
        }
        let sender: f64 = String::from_utf8(sent.stdout)?.trim().parse()?;
        let receiver = Used::of(&process)?.since(before).total;
        Ok((sender + receiver.as_secs_f64() * 1e9) / f64::from(EVENTS))
    }
}

fn measure(rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut contestants = [Contestant::new("tidings")?, Contestant::new("by hand")?];
    for round in 0..=rounds {
        for contestant in &mut contestants {
            let sample = contestant.sample()?;
            // The first one only warms up.
            if round > 0 {
                contestant.samples.push(sample);
            }
        }
    }
    let [ours, by_hand] = &contestants;
    let ratios = ours.samples.iter().zip(&by_hand.samples);
    let ratios = ratios.map(|(ours, by_hand)| ours / by_hand).collect();
    for contestant in &contestants {
        let samples = contestant.samples.clone();
        println!("ns wire {}\t{}", contestant.name, middle(samples));
    }
    println!("ratio wire tidings wire by hand\t{}", middle(ratios));
    Ok(())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
