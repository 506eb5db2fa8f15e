use std::io;

use indicatif::ProgressBar;
use shop_events::{Grouped, Page, ReportRequested};
use tidings::listener;

use crate::import::{ImportFinished, LineRejected};

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
fn write_figures(finished: &ImportFinished, page: &Page) -> io::Result<()> {
    let figures = &finished.figures;
    page.section(
        "This run",
        format_args!(
            "events     {:>12}\n\
             deliveries {:>12}\n\
             skipped    {:>12}\n\
             failed     {:>12}\n\
             rejected   {:>12}\n\
             time       {:>9.1} ms\n\
             rate       {:>12} deliveries per second, reading included\n",
            Grouped(figures.events),
            Grouped(figures.deliveries()),
            Grouped(figures.skipped),
            Grouped(figures.failed),
            Grouped(figures.rejected),
            figures.elapsed.as_secs_f64() * 1000.0,
            Grouped(figures.deliveries_per_second()),
        ),
    )
}
