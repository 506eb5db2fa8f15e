//! The page of the results.

use std::error::Error;
use std::fmt::Write as _;

use super::emit::{ALLOCATIONS, AWAITED, EMIT};
use super::event_loop;
use super::machine::machine;
use super::measured::Measured;
use super::python::Python;
use super::queues::{IDLE, QUEUES};
use super::start::START;
use super::table::{figures, ratios, yes};
use super::transport;

/// How often everything was measured, and with what.
pub(super) struct Runs {
    pub(super) processes: u32,
    pub(super) rounds: u32,
    /// Rounds of the event loops.
    pub(super) loops: u32,
    pub(super) python: Option<Python>,
}

pub(super) fn page(measured: &Measured, runs: &Runs) -> Result<String, Box<dyn Error>> {
    let Runs {
        processes, rounds, ..
    } = runs;
    let mut page = String::from("# Results\n\nWritten by `cargo xtask bench`.\n\n");
    machine(&mut page)?;
    writeln!(
        page,
        "\n## Emit\n\nNanoseconds of one call: medians of {processes} processes with {rounds} rounds each. In every round each \
         contestant takes one\nsample in turn, and a ratio is taken inside a round. All listeners do the same: they add to a number of \
         their own.\n`functions` and `closures` are loops over `&[fn(&E)]` and `&[Box<dyn Fn(&E)>]`, `call` is one call of an empty \
         function through a pointer.\n"
    )?;
    ratios(&mut page, measured, EMIT)?;
    page.push_str(
        "\n## Awaited emissions\n\nThe listeners are ready at once. One thread awaits, and runs what a contestant spawns. `tokio spawn` is one task for each\n\
         listener, all joined; of `kameo` the publication and the end of all its actors' handlers.\n\n",
    );
    ratios(&mut page, measured, AWAITED)?;
    page.push_str("\nAllocations of one emission:\n\n");
    figures(&mut page, measured, ALLOCATIONS)?;
    page.push_str(
        "\n## Queues\n\nAn event's share of the time from the first emission to the end of the last delivery, over so many that the queue of 1024 is full\n\
         most of the time; the channel has the same capacity and carries the same `Arc<E>` to one thread that calls the same function.\n\n",
    );
    ratios(&mut page, measured, QUEUES)?;
    if measured.get("idle threads").is_ok() {
        page.push('\n');
        figures(&mut page, measured, IDLE)?;
    }
    event_loops(&mut page, measured, runs)?;
    connections(&mut page, measured, runs)?;
    columns(&mut page, measured)?;
    page.push_str("\n## Start and compile time\n\n");
    figures(&mut page, measured, START)?;
    for skipped in &measured.skipped {
        writeln!(page, "\nSkipped: {skipped}.")?;
    }
    Ok(page)
}

fn event_loops(page: &mut String, measured: &Measured, runs: &Runs) -> Result<(), Box<dyn Error>> {
    writeln!(
        page,
        "\n## Event loop\n\nNanoseconds of an item: medians of {} rounds, in which each loop takes one sample in turn. A callback is a function that captures\n\
         nothing, as in Python; timers are set for given times, so that no clock is read. `tokio` is its `LocalRuntime`.\n",
        runs.loops
    )?;
    figures(page, measured, event_loop::TIMES)?;
    if measured.get("idle loop wake-ups").is_ok() {
        page.push('\n');
        figures(page, measured, event_loop::IDLE)?;
    }
    page.push('\n');
    ratios(page, measured, event_loop::LOOPS)?;
    if let Some(python) = &runs.python {
        writeln!(page, "\nWith {}:\n", python.versions)?;
        ratios(page, measured, event_loop::PYTHON)?;
    }
    Ok(())
}

fn connections(page: &mut String, measured: &Measured, runs: &Runs) -> Result<(), Box<dyn Error>> {
    if measured.get("echo total 1 KiB/1 tidings").is_err() {
        return Ok(());
    }
    writeln!(
        page,
        "\n## Connections\n\nMicroseconds of processor time that a message takes of an echo server, in its own code and in all: of {} rounds, in which each server takes\n\
         one sample in turn, the mean of the one, whose clock is coarse, and the median of the other. The server is a process of its own; a client of the standard library has one message on its way on each connection. `tokio` is\n\
         a task with a buffer of 256 KiB for each connection; of Python they are protocols.\n",
        runs.loops
    )?;
    transport::echo(page, measured)?;
    page.push_str("\nAll processor time with TLS, ten connections, both with the same configuration of rustls:\n\n");
    transport::tls(page, measured)?;
    page.push('\n');
    figures(page, measured, transport::CROWDS)?;
    page.push_str(
        "\nNanoseconds of processor time that an event takes in both processes. By hand: envelopes as JSON with their lengths, a bounded channel, and\n\
         acknowledgements. All are emitted one after the other.\n\n",
    );
    ratios(page, measured, transport::WIRE)
}

/// All contestants with what was counted of them.
fn columns(page: &mut String, measured: &Measured) -> Result<(), Box<dyn Error>> {
    page.push_str(
        "\n## All contestants\n\n| contestant/listeners | ns | instructions | allocations |\n|---|--:|--:|--:|\n",
    );
    for (name, nanoseconds) in measured.all("ns ") {
        let instructions = shown(measured.get(&format!("instructions {name}")));
        let allocations = shown(measured.get(&format!("allocations {name}")));
        writeln!(
            page,
            "| {name} | {nanoseconds:.1} | {instructions} | {allocations} |"
        )?;
    }
    let inline = EMIT.iter().map(|reach| reach.ours);
    let most = inline
        .map(|name| measured.get(&format!("allocations {name}")))
        .try_fold(0.0, |most, count| Ok::<_, String>(f64::max(most, count?)))?;
    let reached = yes(most <= 0.0);
    writeln!(
        page,
        "\nAllocations of `tidings` on the inline path: {most} at most, reach 0, reached: {reached}."
    )?;
    Ok(())
}

/// Instructions are counted per run, and a fraction is the noise of its start.
fn shown(value: Result<f64, String>) -> String {
    value.map_or_else(|_| String::new(), |value| format!("{value:.0}"))
}
