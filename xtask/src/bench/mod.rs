//! Runs the programs of `benches/` and writes `benches/RESULTS.md`.

mod emit;
mod event_loop;
mod machine;
mod measured;
mod page;
mod python;
mod queues;
mod start;
mod table;
mod transport;

use std::error::Error;
use std::fs;

use crate::cargo::{Cargo, root};

use self::measured::Measured;

/// Measures everything, with fewer samples if the arguments are `--quick`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let quick = match arguments {
        [] => false,
        [argument] if argument == "--quick" => true,
        _ => return Err("usage: cargo xtask bench [--quick]".into()),
    };
    let (processes, rounds, loops, starts, checks) = if quick {
        (1, 300, 1, 20, 3)
    } else {
        (5, 2000, 7, 200, 7)
    };
    Cargo::new("build --profile bench -p tidings-benches --bins").run()?;
    let mut measured = Measured::default();
    // Addresses differ from process to process, and with them the luck of the caches.
    for _ in 0..processes {
        measured.add("dispatch", &[rounds.to_string()])?;
        measured.add("awaited", &[rounds.to_string()])?;
        measured.add("queued", &[(rounds / 10).to_string()])?;
        measured.add("blocked", &[(rounds * 5).to_string()])?;
    }
    let python = measured.python();
    let path = python.as_ref().map(|python| python.path.display());
    let arguments = [Some(loops.to_string()), path.map(|path| path.to_string())];
    let arguments: Vec<_> = arguments.into_iter().flatten().collect();
    measured.add("event_loop", &arguments)?;
    measured.add("echo", &arguments)?;
    measured.add("wire", &arguments[..1])?;
    for program in ["idle", "allocations", "awaited_allocations", "counts"] {
        measured.add(program, &[])?;
    }
    measured.add("start", &[starts.to_string()])?;
    measured.add("compile", &[checks.to_string()])?;

    let text = page::page(
        &measured,
        &page::Runs {
            processes,
            rounds,
            loops,
            python,
        },
    )?;
    let path = root().join("benches/RESULTS.md");
    fs::write(&path, &text)?;
    println!("{text}\nwritten to {}", path.display());
    Ok(())
}
