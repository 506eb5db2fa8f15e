use std::{
    io::{self, BufRead},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tidings::{Bus, Report, event};
use tokio::sync::{Mutex, oneshot};

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

/// What an import did, as the reports of its events say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) lines: u64,
    pub(crate) events: u64,
    pub(crate) ran: u64,
    pub(crate) skipped: u64,
    pub(crate) queued: u64,
    pub(crate) failed: u64,
    pub(crate) rejected: u64,
    pub(crate) elapsed: Duration,
}

/// An import that goes on in a thread of its own, since reading may block and so may a full queue.
pub(crate) struct Import {
    intake: Arc<Intake>,
    end: oneshot::Receiver<io::Result<()>>,
}

#[derive(Default)]
struct Intake {
    stopped: AtomicBool,
    /// Held while a line is emitted, so that one that was read counts whole or not at all.
    figures: Mutex<Figures>,
}

impl Import {
    pub(crate) fn start(bus: Bus, input: impl BufRead + Send + 'static) -> io::Result<Self> {
        let intake = Arc::<Intake>::default();
        let (ended, end) = oneshot::channel();
        let thread_intake = Arc::clone(&intake);
        let import = move || {
            // Nobody asks when the shop was stopped before.
            let _ = ended.send(read(&bus, input, &thread_intake));
        };
        // It is not joined: a read from a terminal may never return.
        let import_thread = thread::Builder::new().name("import".to_owned());
        import_thread.spawn(import)?;
        Ok(Self { intake, end })
    }

    /// Waits until all lines were read.
    pub(crate) async fn end(&mut self) -> io::Result<()> {
        let lost = |_| io::Error::other("the thread that reads has panicked");
        (&mut self.end).await.map_err(lost)?
    }

    /// No further line is emitted; one may be on its way.
    pub(crate) fn stop(&self) {
        self.intake.stopped.store(true, Ordering::SeqCst);
    }

    /// What the import has done, once the line that is on its way has been emitted.
    pub(crate) async fn figures(&self) -> Figures {
        *self.intake.figures.lock().await
    }
}

/// Emits an event for every line: a purchase, or the reason why the line is none.
fn read(bus: &Bus, input: impl BufRead, intake: &Intake) -> io::Result<()> {
    let started = Instant::now();
    let mut lines = Lines::new(input);
    let mut parser = Parser::default();
    while let Some(line) = lines.next()? {
        let number = line.number;
        let parsed = parser.parse(line.bytes);
        let mut figures = intake.figures.blocking_lock();
        if intake.stopped.load(Ordering::SeqCst) {
            break;
        }
        match parsed {
            Ok(None) => {}
            Ok(Some(purchase)) => figures.add(&bus.emit(purchase).report()),
            Err(reason) => {
                figures.rejected += 1;
                figures.add(&bus.emit(LineRejected { number, reason }).report());
            }
        }
        figures.lines = number;
        figures.elapsed = started.elapsed();
    }
    Ok(())
}

impl Figures {
    /// Whether every line was taken and every listener succeeded.
    pub(crate) fn complete(&self) -> bool {
        self.rejected == 0 && self.failed == 0
    }

    /// Deliveries that reached a listener at once.
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
        self.queued += report.queued() as u64;
        self.failed += report.failed() as u64;
    }
}
