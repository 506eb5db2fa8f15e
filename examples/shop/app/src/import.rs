use std::{
    io::{self, BufRead},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use shop_events::Purchased;
use tidings::{Bus, Event, Report, event};
use tokio::sync::{Mutex, oneshot};

use crate::{
    lines::Lines,
    parse::{Parser, Reason},
    replay::{Days, Replay},
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
    /// Purchases that were read and whose day has not come.
    pub(crate) to_come: u64,
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
    pub(crate) fn start(
        bus: Bus,
        input: impl BufRead + Send + 'static,
        replay: Option<Replay>,
    ) -> io::Result<Self> {
        let intake = Arc::<Intake>::default();
        let (ended, end) = oneshot::channel();
        let clerk = Clerk {
            bus,
            intake: Arc::clone(&intake),
            started: Instant::now(),
        };
        let import = move || {
            // Nobody asks when the shop was stopped before.
            let _ = ended.send(clerk.import(input, replay));
        };
        // It is not joined: a read from a terminal may never return, and a day of a replay may be far away.
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

/// Emits what is read.
struct Clerk {
    bus: Bus,
    intake: Arc<Intake>,
    started: Instant,
}

impl Clerk {
    fn import(self, input: impl BufRead, replay: Option<Replay>) -> io::Result<()> {
        let Some(replay) = replay else {
            return self.read(input, |purchase, figures| self.emit(purchase, figures));
        };
        let mut days = Days::default();
        self.read(input, |purchase, figures| {
            days.add(purchase);
            figures.to_come += 1;
        })?;
        let emit = move |purchase| {
            self.count(|figures| {
                figures.to_come -= 1;
                self.emit(purchase, figures);
            })
        };
        replay.run(days, emit).map_err(io::Error::other)
    }

    /// Hands every purchase to `take` and tells why the other lines are none.
    fn read(
        &self,
        input: impl BufRead,
        mut take: impl FnMut(Purchased, &mut Figures),
    ) -> io::Result<()> {
        let mut lines = Lines::new(input);
        let mut parser = Parser::default();
        while let Some(line) = lines.next()? {
            let number = line.number;
            let parsed = parser.parse(line.bytes);
            let goes_on = self.count(|figures| {
                match parsed {
                    Ok(None) => {}
                    Ok(Some(purchase)) => take(purchase, figures),
                    Err(reason) => {
                        figures.rejected += 1;
                        self.emit(LineRejected { number, reason }, figures);
                    }
                }
                figures.lines = number;
            });
            if goes_on.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Lets `step` change the figures, unless the import was stopped.
    fn count(&self, step: impl FnOnce(&mut Figures)) -> ControlFlow<()> {
        let mut figures = self.intake.figures.blocking_lock();
        if self.intake.stopped.load(Ordering::SeqCst) {
            return ControlFlow::Break(());
        }
        step(&mut figures);
        figures.elapsed = self.started.elapsed();
        ControlFlow::Continue(())
    }

    fn emit(&self, event: impl Event + Send + Sync, figures: &mut Figures) {
        figures.add(&self.bus.emit(event).report());
    }
}

impl Figures {
    /// Whether every line was taken and every listener succeeded.
    pub(crate) fn complete(&self) -> bool {
        self.rejected == 0 && self.failed == 0
    }

    /// How many purchases were emitted.
    pub(crate) fn purchases(&self) -> u64 {
        self.events - self.rejected
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
