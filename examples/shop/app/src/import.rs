use std::{
    io::{self, BufRead},
    time::{Duration, Instant},
};

use tidings::{Bus, Report, event};

use crate::{
    lines::Lines,
    parse::{Parser, Reason},
};

/// A line of the input is no purchase.
#[event("shop.line_rejected")]
#[derive(Debug)]
pub(crate) struct LineRejected {
    /// The number of the line, from one.
    pub(crate) number: u64,
    /// What is wrong with it.
    pub(crate) reason: Reason,
}

/// All lines were read and all purchases emitted.
#[event("shop.import_finished")]
#[derive(Debug)]
pub(crate) struct ImportFinished {
    /// What the import did.
    pub(crate) figures: Figures,
}

/// What an import did, as the reports of its events say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) events: u64,
    pub(crate) ran: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    pub(crate) rejected: u64,
    pub(crate) elapsed: Duration,
}

/// Emits an event for every line: a purchase, or the reason why the line is none.
pub(crate) fn import(bus: &Bus, input: impl BufRead) -> io::Result<Figures> {
    let started = Instant::now();
    let mut figures = Figures::default();
    let mut lines = Lines::new(input);
    let mut parser = Parser::default();
    while let Some(line) = lines.next()? {
        let number = line.number;
        match parser.parse(line.bytes) {
            Ok(None) => {}
            Ok(Some(purchase)) => figures.add(&bus.emit(purchase).report()),
            Err(reason) => {
                figures.rejected += 1;
                figures.add(&bus.emit(LineRejected { number, reason }).report());
            }
        }
    }
    figures.elapsed = started.elapsed();
    Ok(figures)
}

impl Figures {
    /// Whether every line was taken and every listener succeeded.
    pub(crate) fn complete(&self) -> bool {
        self.rejected == 0 && self.failed == 0
    }

    /// Deliveries that reached a listener.
    pub(crate) fn deliveries(&self) -> u64 {
        self.ran + self.failed
    }

    pub(crate) fn deliveries_per_second(&self) -> u64 {
        let nanos = self.elapsed.as_nanos().max(1);
        u64::try_from(u128::from(self.deliveries()) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
    }

    fn add(&mut self, report: &Report) {
        self.events += 1;
        self.ran += report.ran() as u64;
        self.skipped += report.skipped() as u64;
        self.failed += report.failed() as u64;
    }
}
