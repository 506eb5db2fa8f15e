//! What became of an emission.

use std::error::Error;
use std::fmt;

use crate::delivery::{Ended, Given};
use crate::dispatch::failure::Failure;
use crate::listener::ListenerInfo;

/// What became of one event: every delivery is counted as exactly one of ran, skipped, failed or queued.
///
/// It covers this event only. Events that its listeners returned have reports of their own, and their failures reach the bus's
/// `on_failure` hook like all others.
///
/// ```standalone_crate
/// use tidings::{Bus, event, listener};
///
/// #[event]
/// struct Placed {
///     cents: u64,
/// }
///
/// #[listener]
/// fn book(_: &Placed) {}
///
/// #[listener(when = |e| e.cents > 100_000)]
/// fn alert(_: &Placed) {}
///
/// let report = Bus::builder().build()?.emit(Placed { cents: 900 }).report();
/// assert_eq!((report.ran(), report.skipped(), report.failed(), report.queued()), (1, 1, 0, 0));
/// assert!(report.heard());
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Default)]
pub struct Report {
    pub(crate) ran: u32,
    pub(crate) skipped: u32,
    pub(crate) failed: u32,
    pub(crate) queued: u32,
    pub(crate) details: Option<Box<Details>>,
}

/// What only some reports have, so that the others allocate nothing.
#[derive(Default)]
pub(crate) struct Details {
    pub(crate) failures: Vec<Failure>,
    pub(crate) stopped_by: Option<ListenerInfo>,
}

impl Report {
    /// How many deliveries returned without failure; one that stopped the run is among them.
    pub fn ran(&self) -> usize {
        self.ran as usize
    }

    /// How many deliveries were not made because their condition said no, or because another one of the same listener had precedence.
    pub fn skipped(&self) -> usize {
        self.skipped as usize
    }

    /// How many deliveries failed, or 1 if the emission as a whole did.
    pub fn failed(&self) -> usize {
        self.failed as usize
    }

    /// How many deliveries were accepted for later.
    pub fn queued(&self) -> usize {
        self.queued as usize
    }

    /// Whether anybody heard the event: a listener ran, failed or was queued.
    pub fn heard(&self) -> bool {
        self.ran + self.queued > 0
            || self
                .failures()
                .iter()
                .any(|failure| failure.listener().is_some())
    }

    /// The listener that ended the run of a `stoppable` event.
    pub fn stopped_by(&self) -> Option<&ListenerInfo> {
        self.details
            .as_ref()
            .and_then(|details| details.stopped_by.as_ref())
    }

    /// The failures, in the order in which they happened.
    pub fn failures(&self) -> &[Failure] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.failures)
    }

    /// This report if nothing failed.
    ///
    /// # Errors
    ///
    /// An [`EmitError`] that holds the report, and the first failure's error as its source.
    pub fn result(self) -> Result<Report, EmitError> {
        if self.failed == 0 {
            Ok(self)
        } else {
            Err(EmitError { report: self })
        }
    }

    pub(crate) fn count_ended(&mut self, result: Result<Ended, Failure>) {
        match result {
            Ok(Ended::Ran) => self.ran += 1,
            Ok(Ended::Skipped) => self.skipped += 1,
            Err(failure) => self.fail(failure),
        }
    }

    pub(crate) fn count_given(&mut self, given: Given) {
        match given {
            Given::Accepted => self.queued += 1,
            Given::Awaited => {}
            Given::Ended(result) => self.count_ended(result),
        }
    }

    /// Adds what became of other deliveries of the same emission.
    pub(crate) fn add(&mut self, other: Report) {
        self.ran += other.ran;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.queued += other.queued;
        if let Some(details) = other.details {
            let mine = self.details.get_or_insert_default();
            mine.failures.extend(details.failures);
            mine.stopped_by = mine.stopped_by.take().or(details.stopped_by);
        }
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        self.details.get_or_insert_default().failures.push(failure);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ran, {} skipped, {} failed, {} queued",
            self.ran, self.skipped, self.failed, self.queued
        )?;
        if let Some(listener) = self.stopped_by() {
            write!(f, ", stopped by {}", listener.id())?;
        }
        self.failures()
            .iter()
            .try_for_each(|failure| write!(f, "\n  {failure}"))
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("ran", &self.ran)
            .field("skipped", &self.skipped)
            .field("failed", &self.failed)
            .field("queued", &self.queued)
            .field("stopped_by", &self.stopped_by().map(ListenerInfo::id))
            .field("failures", &self.failures())
            .finish_non_exhaustive()
    }
}

/// An emission of which something failed.
///
/// ```standalone_crate
/// # use std::error::Error;
/// use tidings::{Bus, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// fn charge(_: &Placed) -> Result<(), std::num::ParseIntError> {
///     "twelve".parse::<u32>().map(drop)
/// }
///
/// let error = Bus::builder().build()?.emit(Placed).report().result().unwrap_err();
/// assert!(error.source().is_some_and(|source| source.is::<std::num::ParseIntError>()));
/// assert_eq!(error.report().failed(), 1);
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Debug)]
pub struct EmitError {
    report: Report,
}

impl EmitError {
    /// The whole report.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The report, to keep.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// The failures, in the order in which they happened.
    pub fn failures(&self) -> &[Failure] {
        self.report.failures()
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = self.report.ran + self.report.failed + self.report.queued;
        write!(f, "{} of {reached} deliveries failed: ", self.report.failed)?;
        self.failures()
            .iter()
            .enumerate()
            .try_for_each(|(i, failure)| write!(f, "{}{failure}", if i == 0 { "" } else { "; " }))
    }
}

impl Error for EmitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failures()
            .iter()
            .find_map(Failure::source)
            .map(|source| source as &(dyn Error + 'static))
    }
}
