//! The shop: reads purchases, emits one event for each, and prints what the modules make of them.
//!
//! This is the only crate that names all the modules, in one `link!` and three `state` calls. What is printed, the
//! modules' listeners and its own two print.

mod arguments;
mod import;
mod lines;
mod listeners;
mod parse;
mod progress;

use std::{error::Error, io, process::ExitCode};

use arguments::{Arguments, Input};
use import::ImportFinished;
use shop_alerts::AlertDesk;
use shop_events::{Page, ReportRequested};
use shop_ledger::Ledger;
use shop_loyalty::LoyaltyClub;
use tidings::Bus;

tidings::link!(shop_ledger, shop_loyalty, shop_alerts);

/// Some lines were rejected or some listener failed.
const INCOMPLETE: u8 = 1;
/// Nothing could be read.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let input = match Arguments::read(std::env::args_os().skip(1)) {
        Ok(Arguments::Help) => {
            println!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Run(input)) => input,
        Err(error) => return unusable(&error),
    };
    match run(&input) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(INCOMPLETE),
        Err(error) => unusable(&*error),
    }
}

fn unusable(error: &dyn Error) -> ExitCode {
    eprintln!("shop: {error}");
    ExitCode::from(UNUSABLE)
}

/// Answers whether every line was taken and every listener succeeded.
fn run(input: &Input) -> Result<bool, Box<dyn Error>> {
    let (lines, progress) = input.open()?;
    let bus = Bus::builder()
        .state(Ledger::default())
        .state(LoyaltyClub::default())
        .state(AlertDesk::default())
        .state(Page::new(io::stdout()))
        .state(progress.clone())
        .build()?;

    let figures =
        import::import(&bus, lines).map_err(|error| format!("cannot read {input}: {error}"))?;
    progress.finish_and_clear();
    if figures.events == 0 {
        return Err(format!("{input} holds no purchases").into());
    }

    let source = input.name();
    let report = bus.emit(ReportRequested { source }).report();
    let closing = bus.emit(ImportFinished { figures }).report();
    Ok(figures.complete() && report.failed() == 0 && closing.failed() == 0)
}
