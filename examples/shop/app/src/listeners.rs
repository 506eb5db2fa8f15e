use std::io;

use indicatif::ProgressBar;
use shop_events::{Grouped, Page, ReportRequested};
use tidings::{
    ListenerInfo, Shutdown, listener,
    transport::wire::{LinkLost, LinkOpened},
};

use crate::{
    closing::{Closed, StopRequested},
    import::{Figures, LineRejected},
    link::LastLoss,
};

#[listener]
fn tell_rejected_line(line: &LineRejected, progress: &ProgressBar) {
    // Between two draws of the bar, so that neither overwrites the other.
    progress.suspend(|| eprintln!("shop: line {}: {}", line.number, line.reason));
}

// The ledger's listener is private there, so it is named by its id.
#[listener(early, before = "ledger.totals")]
fn write_heading(report: &ReportRequested, page: &Page) -> io::Result<()> {
    page.title(&format!("Purchases of {}", report.source))
}

#[listener]
fn tell_stop(stop: &StopRequested, progress: &ProgressBar) {
    let StopRequested { signal, grace } = stop;
    progress.suspend(|| {
        eprintln!("shop: {signal}: waits up to {grace:?} for deliveries, once more ends at once");
    });
}

#[listener]
fn tell_link_opened(link: &LinkOpened, told: &LastLoss, progress: &ProgressBar) {
    told.forget();
    if link.times > 1 {
        progress.suspend(|| eprintln!("shop: the link is open again"));
    }
}

#[listener]
fn tell_link_lost(link: &LinkLost, told: &LastLoss, progress: &ProgressBar) {
    if told.is_new(&link.why) {
        progress.suspend(|| eprintln!("shop: the link is lost: {}", link.why));
    }
}

#[listener]
fn write_queues(closed: &Closed, page: &Page) -> io::Result<()> {
    let ids = closed.queues.iter().map(|(listener, _)| listener.id());
    let width = ids.map(str::len).max().unwrap_or_default();
    let rows = closed.queues.iter().map(|(listener, now)| {
        format!(
            "{:<width$} {:>9} delivered {:>7} retried {:>5} failed {:>5} refused {:>5} left\n",
            listener.id(),
            Grouped(now.delivered),
            Grouped(now.retried),
            Grouped(now.failed),
            Grouped(now.rejected),
            Grouped(left(&closed.shutdown, listener)),
        )
    });
    let table = rows.collect::<Vec<_>>().concat();
    page.section("Queues", format_args!("{table}{}\n", closed.shutdown))
}

#[listener(after = write_queues)]
fn write_stop(closed: &Closed, page: &Page) -> io::Result<()> {
    let Some(signal) = closed.signal else {
        return Ok(());
    };
    let Some(figures) = &closed.figures else {
        return page.section("Stopped", format_args!("by {signal}\n"));
    };
    let lines = Grouped(figures.lines);
    let to_come = Grouped(figures.to_come);
    if figures.to_come == 0 {
        page.section("Stopped", format_args!("by {signal} after line {lines}\n"))
    } else {
        page.section(
            "Stopped",
            format_args!("by {signal} after line {lines}\nstill to come {to_come:>10}\n"),
        )
    }
}

#[listener(after = write_stop)]
fn write_link(closed: &Closed, page: &Page) -> io::Result<()> {
    match &closed.crossed {
        Some(crossed) => page.section("Link", format_args!("{crossed}")),
        None => Ok(()),
    }
}

#[listener(after = write_link)]
fn write_figures(closed: &Closed, page: &Page) -> io::Result<()> {
    let Some(figures) = &closed.figures else {
        return Ok(());
    };
    page.section(
        "This run",
        format_args!(
            "events     {:>12}\n\
             deliveries {:>12}\n\
             skipped    {:>12}\n\
             queued     {:>12}\n\
             failed     {:>12}\n\
             rejected   {:>12}\n\
             time       {:>9.1} ms\n\
             {}",
            Grouped(figures.events),
            Grouped(figures.deliveries()),
            Grouped(figures.skipped),
            Grouped(figures.queued),
            Grouped(figures.failed),
            Grouped(figures.rejected),
            figures.elapsed.as_secs_f64() * 1000.0,
            rate(figures),
        ),
    )
}

/// How many deliveries of a listener were given up.
fn left(shutdown: &Shutdown, listener: &ListenerInfo) -> u64 {
    let left = shutdown.left().iter();
    let left = left.filter(|left| left.listener().id() == listener.id());
    left.map(|left| (left.waiting() + left.in_backoff() + left.in_flight().len()) as u64)
        .sum()
}

/// Empty if nothing was delivered here.
fn rate(figures: &Figures) -> String {
    if figures.deliveries() == 0 {
        return String::new();
    }
    let rate = Grouped(figures.deliveries_per_second());
    format!("rate       {rate:>12} deliveries per second, reading included\n")
}
