//! Prints what a message costs an echo server, ours and its peers', each in a process of its own.
//!
//! With the path of a Python interpreter that has uvloop, its loops take part.

mod crowds;
mod load;
mod security;
mod servers;
mod syscalls;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;
use std::time::Duration;

use load::Load;
use security::{Certificate, Client};
use tidings_benches::harness::per_call;
use tidings_benches::process::{Server, Used};

const PROGRAM: &str = include_str!("echo.py");

/// KiB of a message, connections, and how many messages are one sample.
const CASES: &[(usize, usize, usize)] = &[
    (1, 1, 10_000),
    (1, 10, 20_000),
    (1, 100, 20_000),
    (10, 1, 10_000),
    (10, 10, 10_000),
    (10, 100, 10_000),
    (100, 1, 2_000),
    (100, 10, 2_000),
    (100, 100, 2_000),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["serve", "tidings"] => servers::tidings(),
        ["serve", "patient"] => servers::patient(),
        ["serve", "tokio"] => servers::tokio(),
        ["serve", "tidings TLS", folder] => servers::tidings_tls(folder.as_ref()),
        ["serve", "tokio-rustls", folder] => servers::tokio_rustls(folder.as_ref()),
        ["load", port, kib, connections, messages] => {
            let bytes = kib.parse::<usize>()? * 1024;
            let mut load = Load::connect(port.parse()?, connections.parse()?, bytes)?;
            load.run(messages.parse()?)?;
            Ok(())
        }
        _ if !cfg!(target_os = "linux") => {
            println!("skipped\tprocessor time of other processes is read on Linux only");
            Ok(())
        }
        [rounds] => measure(rounds.parse()?, None),
        [rounds, python] => measure(rounds.parse()?, Some(python)),
        _ => Err("usage: echo ROUNDS [PYTHON]".into()),
    }
}

/// One that takes part, and what it used for each case.
struct Contestant {
    name: &'static str,
    command: Vec<String>,
    server: Server,
    client: Option<Client>,
    samples: BTreeMap<(usize, usize), Vec<Sample>>,
}

/// Microseconds of a message.
struct Sample {
    total: f64,
    /// Read in steps of 10 ms for all messages together.
    user: f64,
}

impl Contestant {
    fn new(name: &'static str, command: &[&str]) -> Result<Self, Box<dyn Error>> {
        let command: Vec<_> = command.iter().map(ToString::to_string).collect();
        let server = Server::start(Command::new(&command[0]).args(&command[1..]))?;
        Ok(Self {
            name,
            command,
            server,
            client: None,
            samples: BTreeMap::new(),
        })
    }

    fn sample(
        &mut self,
        (size, connections, messages): (usize, usize, usize),
    ) -> Result<(), Box<dyn Error>> {
        let process = self.server.id();
        let client = self.client.as_ref();
        let mut load = Load::secure(self.server.port, connections, size * 1024, client)?;
        load.run(messages / 10)?;
        let before = Used::of(&process)?;
        let count = load.run(messages)?;
        let used = Used::of(&process)?.since(before);
        let per = |time: Duration| per_call(time.as_secs_f64() * 1e6, count as u64);
        let sample = Sample {
            total: per(used.total),
            user: per(used.user),
        };
        let samples = self.samples.entry((size, connections)).or_default();
        samples.push(sample);
        Ok(())
    }

    /// The middle of all time, and the mean of the user's, whose clock is too coarse for one sample.
    fn print(&self) {
        for ((size, connections), samples) in &self.samples {
            let case = format!("{size} KiB/{connections} {}", self.name);
            let mut totals: Vec<_> = samples.iter().map(|sample| sample.total).collect();
            totals.sort_by(f64::total_cmp);
            println!("echo total {case}\t{}", totals[totals.len() / 2]);
            let user = samples.iter().map(|sample| sample.user).sum();
            println!("echo user {case}\t{}", per_call(user, samples.len() as u64));
        }
    }
}

/// Those with TLS take fewer cases, one for each size.
fn secure(own: &str, rounds: usize) -> Result<(), Box<dyn Error>> {
    let certificate = Certificate::make()?;
    let folder = certificate.folder()?;
    let start = |name| {
        Ok::<_, Box<dyn Error>>(Contestant {
            client: Some(certificate.client()?),
            ..Contestant::new(name, &[own, "serve", name, folder])?
        })
    };
    let mut contestants = [start("tidings TLS")?, start("tokio-rustls")?];
    for _ in 0..rounds {
        for case in CASES
            .iter()
            .filter(|(_, connections, _)| *connections == 10)
        {
            for contestant in &mut contestants {
                contestant.sample(*case)?;
            }
        }
    }
    contestants.iter().for_each(Contestant::print);
    Ok(())
}

fn measure(rounds: usize, python: Option<&str>) -> Result<(), Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let own = own.to_str().ok_or("this program's path is no text")?;
    let mut contestants = vec![
        Contestant::new("tidings", &[own, "serve", "tidings"])?,
        Contestant::new("tokio", &[own, "serve", "tokio"])?,
    ];
    if let Some(python) = python {
        contestants.push(Contestant::new(
            "asyncio",
            &[python, "-c", PROGRAM, "asyncio"],
        )?);
        contestants.push(Contestant::new(
            "uvloop",
            &[python, "-c", PROGRAM, "uvloop"],
        )?);
    }
    for _ in 0..rounds {
        for case in CASES {
            for contestant in &mut contestants {
                contestant.sample(*case)?;
            }
        }
    }
    for contestant in &contestants {
        contestant.print();
    }
    for contestant in &contestants {
        match syscalls::count(&contestant.command) {
            Ok(count) => println!("echo syscalls {}\t{count}", contestant.name),
            Err(why) => println!("skipped\tsystem calls of {}, as {why}", contestant.name),
        }
    }
    secure(own, rounds)?;
    crowds::measure(|| Server::start(Command::new(own).args(["serve", "patient"])))
}
