//! The workspace's own commands: `cargo xtask test`, `cargo xtask bench` and `cargo xtask load`.

mod bench;
mod cargo;
mod examples;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask test [STEP ...]       run all steps, or the named ones
       cargo xtask test --list           name the steps
       cargo xtask test examples --bless write the examples' expected output
       cargo xtask bench [--quick]       measure and write benches/RESULTS.md
       cargo xtask load                  run the tests under load, in release with all that they emit there";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((command, rest)) if command == "test" => test::run(rest),
        Some((command, rest)) if command == "bench" => bench::run(rest),
        Some((command, [])) if command == "load" => load(),
        Some((command, _)) if command == "--help" || command == "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        Some((command, _)) => Err(format!("unknown command `{command}`\n{USAGE}").into()),
        None => Err(format!("a command is missing\n{USAGE}").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load() -> Result<(), Box<dyn std::error::Error>> {
    let tests =
        "test -p tidings --release --all-features --test load --test load_queues -- --nocapture";
    cargo::Cargo::new(tests).run().map(drop)
}
