//! What one listener heard.

use std::any::TypeId;
use std::fmt;

use event_core::FailureKind;

use super::record::{End, What};
use super::run::{Run, is};
use super::timeline::more;

/// How many errors are printed.
const MOST_ERRORS: usize = 20;

/// Sentences about one listener: `run.heard_by(billing::charge).once().ok()`. Each fails the test, with the timeline, if it is not true.
///
/// A delivery counts once, however often it was tried, and each event of a batch is one. What a condition skipped does not count.
///
/// ```standalone_crate
/// use tidings::test::TestBus;
/// use tidings::{event, listener};
///
/// #[event]
/// struct Placed {
///     cents: u32,
/// }
///
/// #[listener(when = |e| e.cents > 0, queue = 8, retry = 1, backoff = "1s..1s")]
/// fn charge(e: &Placed) -> Result<(), String> {
///     if e.cents < 100 { Err("too little".into()) } else { Ok(()) }
/// }
///
/// let bus = TestBus::new();
/// bus.emit(Placed { cents: 0 });
/// bus.settle_blocking().heard_by(charge).never();
///
/// bus.emit(Placed { cents: 50 });
/// bus.settle_blocking().heard_by(charge).once().tries(2).failed_with("too little");
///
/// bus.emit(Placed { cents: 200 });
/// bus.settle_blocking().heard_by(charge).once().ok();
/// ```
pub struct Heard<'a> {
    run: &'a Run,
    id: &'static str,
    counts: Counts,
    errors: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    ran: usize,
    failed: usize,
    skipped: usize,
    tries: usize,
    /// Begun and not ended.
    open: usize,
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "each sentence is checked at once"
)]
impl<'a> Heard<'a> {
    pub(super) fn new(run: &'a Run, key: TypeId, id: &'static str) -> Self {
        let mut counts = Counts::default();
        let mut errors = Vec::new();
        for entry in &*run.entries {
            match &entry.what {
                What::Called {
                    listener, ended, ..
                } if is(listener, key) => {
                    counts.tries += 1;
                    match ended {
                        None => counts.open += 1,
                        Some((_, End::Ran)) => counts.ran += 1,
                        Some((_, End::Skipped)) => {
                            counts.tries -= 1;
                            counts.skipped += 1;
                        }
                        Some(_) => {}
                    }
                }
                What::Failed {
                    listener: Some(listener),
                    kind,
                    message,
                    deliveries,
                } if is(listener, key) && *kind != FailureKind::NoWorker => {
                    counts.failed += deliveries;
                    errors.push(message.clone());
                }
                _ => {}
            }
        }
        Self {
            run,
            id,
            counts,
            errors,
        }
    }

    /// How many deliveries ended, well or not.
    fn heard(&self) -> usize {
        self.counts.ran + self.counts.failed
    }

    #[track_caller]
    fn check(self, holds: bool, wanted: &str) -> Self {
        if !holds {
            self.run
                .fail(&format!("`{}` was to have {wanted}, and {self}", self.id));
        }
        self
    }

    /// Exactly one delivery.
    ///
    /// # Panics
    ///
    /// If there were none or several.
    #[track_caller]
    pub fn once(self) -> Self {
        let holds = self.heard() == 1;
        self.check(holds, "heard once")
    }

    /// Exactly `n` deliveries.
    ///
    /// # Panics
    ///
    /// If there were more or fewer.
    #[track_caller]
    pub fn times(self, n: usize) -> Self {
        let holds = self.heard() == n;
        self.check(holds, &format!("heard {n} times"))
    }

    /// No delivery, not even a refused one, nor one that has only begun.
    ///
    /// # Panics
    ///
    /// If there was one.
    #[track_caller]
    pub fn never(self) -> Self {
        let holds = self.heard() + self.counts.tries == 0;
        self.check(holds, "heard nothing")
    }

    /// There were deliveries, and none failed.
    ///
    /// # Panics
    ///
    /// If there were none, one failed, or one has not ended.
    #[track_caller]
    pub fn ok(self) -> Self {
        let holds = self.heard() > 0 && self.counts.failed + self.counts.open == 0;
        self.check(holds, "ended without failure")
    }

    /// There were deliveries, and all of them failed for good.
    ///
    /// # Panics
    ///
    /// If there were none, or one did not fail.
    #[track_caller]
    pub fn failed(self) -> Self {
        let holds = self.counts.failed > 0 && self.counts.ran + self.counts.open == 0;
        self.check(holds, "failed")
    }

    /// There were deliveries, and all of them failed for good with a message that contains this text.
    ///
    /// # Panics
    ///
    /// If there were none, one did not fail, or one failed otherwise.
    #[track_caller]
    pub fn failed_with(self, text: &str) -> Self {
        let said = self.errors.iter().all(|error| error.contains(text));
        let holds = self.counts.failed > 0 && self.counts.ran + self.counts.open == 0 && said;
        self.check(holds, &format!("failed with \"{text}\""))
    }

    /// The function was called `n` times in all: each try of a retry is a call.
    ///
    /// # Panics
    ///
    /// If it was called more or less often.
    #[track_caller]
    pub fn tries(self, n: usize) -> Self {
        let holds = self.counts.tries == n;
        self.check(holds, &format!("been tried {n} times"))
    }

    /// Its condition let exactly `n` inline deliveries go.
    ///
    /// # Panics
    ///
    /// If it let more or fewer go.
    #[track_caller]
    pub fn skipped(self, n: usize) -> Self {
        let holds = self.counts.skipped == n;
        self.check(holds, &format!("skipped {n} deliveries"))
    }
}

impl fmt::Display for Heard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            ran,
            failed,
            skipped,
            tries,
            open,
        } = self.counts;
        write!(
            f,
            "{ran} deliveries ran, {failed} failed, {skipped} were skipped, {open} have not ended; it was called {tries} times"
        )?;
        let errors = &self.errors[..self.errors.len().min(MOST_ERRORS)];
        for error in errors {
            write!(f, "\n  it failed with \"{error}\"")?;
        }
        match self.errors.len() - errors.len() {
            0 => Ok(()),
            left => write!(f, "\n  … {}", more(left)),
        }
    }
}

impl fmt::Debug for Heard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Heard({}: {self})", self.id)
    }
}
