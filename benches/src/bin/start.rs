//! Prints what 10,000 listeners add to the start of a program.

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use tidings_benches::generated::{self, Crate};
use tidings_benches::harness::{median, per_call};

const LISTENERS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).ok_or("usage: start ROUNDS")?;
    let rounds: usize = rounds.parse()?;
    for (name, annotated) in [("start-bare", false), ("start-listeners", true)] {
        let generated = Crate::new(name, LISTENERS, annotated);
        generated.write()?;
        generated.cargo(&["build", "--release"], "target")?;
    }
    let (mut bare, mut ours, mut more, mut build) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let (without, _) = run("start-bare")?;
        let (with, inside) = run("start-listeners")?;
        bare.push(without);
        ours.push(with);
        more.push(with - without);
        build.push(per_call(inside, LISTENERS as u64));
    }
    let lines = [
        ("start bare ms", bare),
        ("start listeners ms", ours),
        ("start more ms", more),
        ("start build ns", build),
    ];
    for (key, values) in lines {
        println!("{key}\t{}", median(values).ok_or("there are no rounds")?);
    }
    Ok(())
}

/// Returns the milliseconds of the whole process and the nanoseconds that it took for `build`.
fn run(name: &str) -> Result<(f64, f64), Box<dyn Error>> {
    let program = generated::folder()?.join("target/release").join(name);
    let start = Instant::now();
    let output = Command::new(program).output()?;
    let whole = start.elapsed().as_secs_f64() * 1e3;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let inside = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok((whole, inside))
}
