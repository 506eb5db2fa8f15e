//! The shop: reads purchases, emits one event for each, and prints what the modules make of them.
//!
//! This is the only crate that names all the modules, in one `link!` and in `modules.rs`, which gives them their state. What is
//! printed, the modules' listeners and its own print.

mod arguments;
mod closing;
mod import;
mod lines;
mod link;
mod listeners;
mod modules;
mod pace;
mod parse;
mod progress;
mod replay;
mod send;
mod serve;
mod signals;

use std::{error::Error, io, process::ExitCode};

use arguments::{Arguments, Job, Over};
use closing::End;
use import::Import;
use modules::Modules;
use shop_events::ReportRequested;
use signals::Signals;
use tokio::runtime::{self, Runtime};

tidings::link!(shop_ledger, shop_loyalty, shop_alerts, shop_notifier);

/// All lines were taken and all listeners succeeded.
const COMPLETE: u8 = 0;
/// Some lines were rejected or some listener failed.
const INCOMPLETE: u8 = 1;
/// Nothing could be read.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let job = match Arguments::read(std::env::args_os().skip(1)) {
        Ok(Arguments::Help) => {
            println!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Arguments::Run(job)) => job,
        Err(error) => return unusable(&error),
    };
    let status = match &job.link {
        None => run(&job),
        Some(Over::Serve(address)) => serve::run(&job, address),
        Some(Over::Send(address)) => send::run(&job, address),
    };
    match status {
        Ok(status) => ExitCode::from(status),
        Err(error) => unusable(&*error),
    }
}

fn unusable(error: &dyn Error) -> ExitCode {
    eprintln!("shop: {error}");
    ExitCode::from(UNUSABLE)
}

/// A thread beside this one, so that signals are heard and messages sent whatever this one does.
fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// Answers the exit status.
fn run(job: &Job) -> Result<u8, Box<dyn Error>> {
    let input = &job.input;
    let (lines, progress) = input.open()?;
    let modules = Modules::new(job, progress.clone());
    let runtime = runtime()?;
    let trade = modules.trade(runtime.handle().clone())?;
    let office = modules.office()?;

    let signals = Signals::listen(&runtime)?;
    let import = Import::start(trade.clone(), lines, job.replay)?;
    let end = closing::close(&trade, &office, import, signals, job.grace);
    let End {
        read,
        figures,
        closed,
    } = runtime.block_on(end)?;
    progress.finish_and_clear();
    read.map_err(|error| format!("cannot read {input}: {error}"))?;
    let signal = closed.signal;
    if figures.events == 0 {
        return match signal {
            Some(signal) => Ok(signal.status()),
            None => Err(format!("{input} holds no purchases").into()),
        };
    }

    let source = input.name();
    let report = office.emit(ReportRequested { source }).report();
    let closing = office.emit(closed).report();
    if let Some(signal) = signal {
        return Ok(signal.status());
    }
    let failed = modules.failed() > 0 || report.failed() > 0 || closing.failed() > 0;
    Ok(if figures.complete() && !failed {
        COMPLETE
    } else {
        INCOMPLETE
    })
}
