//! An emission under way: the report so far, and what is still to be delivered.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::bus::Inner;
use crate::delivery::{Completion, Pending};
use crate::failure::{Failure, drop_guarded};
use crate::listener::ListenerInfo;
use crate::report::{Details, Report};

/// What [`emit`](crate::emit) gives: inline listeners have run, async ones wait to be awaited or handed over.
///
/// - Dropped (`emit(e);`): async deliveries go to the bus's [`Runtime`](crate::Runtime); without one each is a reported failure.
/// - [`report`](Emission::report): the same, and the report of it.
/// - `.await`: waits for the async deliveries and gives the final report. Without a runtime they run in the awaiting task, all at once,
///   and so do the async deliveries of what listeners returned.
///
/// ```standalone_crate
/// use tidings::{Bus, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// async fn confirm(_: &Placed) {}
///
/// # let block_on = futures::executor::block_on::<std::pin::Pin<Box<dyn Future<Output = _>>>>;
/// let bus = Bus::builder().build()?;
/// let report = block_on(Box::pin(async move { bus.emit(Placed).await }));
/// assert_eq!(report.ran(), 1);
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Default)]
pub struct Emission {
    // Two words, so that it is returned in registers: all that not every emission has is behind the pointer.
    counts: Counts,
    rest: Option<Box<Rest>>,
}

/// Ran in the lower half, skipped in the upper.
#[derive(Clone, Copy, Default)]
struct Counts(u64);

impl Counts {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half is what is wanted"
    )]
    fn ran(self) -> u32 {
        self.0 as u32
    }

    fn skipped(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[derive(Default)]
struct Rest {
    failed: u32,
    details: Option<Box<Details>>,
    pending: Vec<Pending>,
    /// Emissions of returned events that have async deliveries.
    returned: Vec<Emission>,
}

impl Emission {
    #[inline]
    pub(crate) fn nothing() -> Self {
        Self {
            counts: Counts(0),
            rest: None,
        }
    }

    #[inline]
    pub(crate) fn ran(passed: usize, skipped: u32) -> Self {
        let skipped = u64::from(skipped);
        Self {
            counts: Counts((passed as u64 - skipped) | (skipped << 32)),
            rest: None,
        }
    }

    pub(crate) fn failed(failure: Failure) -> Self {
        let mut emission = Self::nothing();
        emission.fail(failure);
        emission
    }

    fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    pub(crate) fn count_ran(&mut self) {
        self.counts.0 += 1;
    }

    pub(crate) fn count_skipped(&mut self) {
        self.counts.0 += 1 << 32;
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        let rest = self.rest();
        rest.failed += 1;
        rest.details.get_or_insert_default().failures.push(failure);
    }

    pub(crate) fn stop(&mut self, listener: &ListenerInfo) {
        self.count_ran();
        self.rest().details.get_or_insert_default().stopped_by = Some(listener.clone());
    }

    pub(crate) fn hand_over(&mut self, pending: Pending) {
        self.rest().pending.push(pending);
    }

    /// Takes over the async deliveries of a returned event; its report is its own.
    pub(crate) fn adopt(&mut self, bus: &Inner, other: Emission) {
        if other.is_open() {
            self.rest().returned.push(other);
        } else if let Err(message) = drop_guarded(other) {
            bus.tell_drop(None, "the report of a returned event", &message);
        }
    }

    /// Whether anybody was reached so far.
    pub(crate) fn reached(&self) -> bool {
        self.counts.ran() > 0
            || self
                .rest
                .as_ref()
                .is_some_and(|rest| rest.failed > 0 || !rest.pending.is_empty())
    }

    fn first_pending(&self) -> Option<&Pending> {
        self.rest.as_ref()?.pending.first()
    }

    fn is_open(&self) -> bool {
        self.rest
            .as_ref()
            .is_some_and(|rest| !rest.pending.is_empty() || !rest.returned.is_empty())
    }

    /// The report, with async deliveries handed to the bus's runtime and counted as queued.
    ///
    /// Without a runtime each of them is a failure of the kind [`NoRuntime`](crate::FailureKind::NoRuntime).
    pub fn report(mut self) -> Report {
        let (mut report, pending, returned) = self.take();
        for pending in pending {
            let bus = Arc::clone(pending.bus());
            match bus.runtime() {
                Some(runtime) => {
                    report.queued += 1;
                    pending.spawn(runtime, None);
                }
                None => report.fail(bus.report(pending.refuse())),
            }
        }
        // After their cause's own, as when the emission is awaited.
        drop(returned);
        report
    }

    fn take(&mut self) -> (Report, Vec<Pending>, Vec<Emission>) {
        let rest = self.rest.take().map(|rest| *rest).unwrap_or_default();
        let report = Report {
            ran: self.counts.ran(),
            skipped: self.counts.skipped(),
            failed: rest.failed,
            queued: 0,
            details: rest.details,
        };
        (report, rest.pending, rest.returned)
    }
}

impl Drop for Emission {
    #[inline]
    fn drop(&mut self) {
        if self.rest.is_some() {
            std::mem::take(self).settle();
        }
    }
}

impl Emission {
    #[cold]
    fn settle(mut self) {
        if self.is_open() {
            drop(self.report());
        } else {
            // What is left empty-handed must not settle again when it is dropped.
            self.rest = None;
        }
    }
}

impl fmt::Debug for Emission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, pending) = self
            .rest
            .as_ref()
            .map_or((0, 0), |rest| (rest.failed, rest.pending.len()));
        f.debug_struct("Emission")
            .field("ran", &self.counts.ran())
            .field("skipped", &self.counts.skipped())
            .field("failed", &failed)
            .field("pending", &pending)
            .finish()
    }
}

impl IntoFuture for Emission {
    type Output = Report;
    type IntoFuture = EmissionFuture;

    fn into_future(self) -> EmissionFuture {
        EmissionFuture(Stage::Ready(self))
    }
}

/// An emission that is awaited. Async listeners start with its first poll.
pub struct EmissionFuture(Stage);

enum Stage {
    Ready(Emission),
    /// In this task: there is no runtime.
    Here {
        report: Report,
        pending: Vec<Pending>,
        returned: Vec<EmissionFuture>,
    },
    /// On the bus's runtime.
    There(Arc<Completion>),
    Over,
}

impl Stage {
    fn start(mut emission: Emission) -> Self {
        let (report, pending, returned) = emission.take();
        let first = pending
            .first()
            .or_else(|| returned.first()?.first_pending());
        let bus = first.map(|pending| Arc::clone(pending.bus()));
        let Some(runtime) = bus.as_ref().and_then(|bus| bus.runtime()) else {
            let returned = returned.into_iter().map(Emission::into_future).collect();
            return Stage::Here {
                report,
                pending,
                returned,
            };
        };
        let completion = Arc::new(Completion::new(pending.len(), report));
        for pending in pending {
            pending.spawn(runtime, Some(Arc::clone(&completion)));
        }
        drop(returned);
        Stage::There(completion)
    }
}

impl Future for EmissionFuture {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        if let Stage::Ready(emission) = &mut self.0 {
            let emission = std::mem::take(emission);
            self.0 = Stage::start(emission);
        }
        let report = match &mut self.0 {
            Stage::Here {
                report,
                pending,
                returned,
            } => {
                let mut follow = Vec::new();
                pending.retain_mut(|delivery| match delivery.poll(cx) {
                    Poll::Pending => true,
                    Poll::Ready(end) => {
                        match end.result {
                            Ok(()) => report.ran += 1,
                            Err(failure) => report.fail(failure),
                        }
                        // Emitted only after this round: every listener of the event has been started by then.
                        follow.push((delivery.follow_up(), end.returned));
                        false
                    }
                });
                for (source, events) in follow {
                    let emission = source.emit(events);
                    if emission.is_open() {
                        returned.push(emission.into_future());
                    }
                }
                returned.retain_mut(|emission| Pin::new(emission).poll(cx).is_pending());
                if !pending.is_empty() || !returned.is_empty() {
                    return Poll::Pending;
                }
                std::mem::take(report)
            }
            Stage::There(completion) => match completion.poll(cx) {
                Poll::Ready(report) => report,
                Poll::Pending => return Poll::Pending,
            },
            Stage::Ready(_) | Stage::Over => {
                panic!("an emission's future was polled after it gave its report")
            }
        };
        self.0 = Stage::Over;
        Poll::Ready(report)
    }
}

impl fmt::Debug for EmissionFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Stage::Ready(_) => "EmissionFuture(not started)",
            Stage::Here { .. } => "EmissionFuture(in this task)",
            Stage::There(_) => "EmissionFuture(on the runtime)",
            Stage::Over => "EmissionFuture(over)",
        })
    }
}
