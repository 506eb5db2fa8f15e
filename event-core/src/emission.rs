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
use crate::room::Room;
use crate::runtime::Runtime;

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
    queued: u32,
    pending: Vec<Pending>,
    /// Deliveries that wait for room in a queue.
    rooms: Vec<Room>,
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

    pub(crate) fn count_queued(&mut self) {
        self.rest().queued += 1;
    }

    pub(crate) fn wait_for(&mut self, room: Room) {
        self.rest().rooms.push(room);
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
                .is_some_and(|rest| rest.failed + rest.queued > 0 || rest.has_open())
    }

    fn first_pending(&self) -> Option<&Pending> {
        self.rest.as_ref()?.pending.first()
    }

    fn is_open(&self) -> bool {
        self.rest
            .as_ref()
            .is_some_and(|rest| rest.has_open() || !rest.returned.is_empty())
    }

    /// The report, with async deliveries handed to the bus's runtime and counted as queued.
    ///
    /// Without a runtime each of them is a failure of the kind [`NoRuntime`](crate::FailureKind::NoRuntime).
    pub fn report(mut self) -> Report {
        let Open {
            mut report,
            pending,
            rooms,
            returned,
        } = self.take();
        for mut pending in pending {
            let bus = Arc::clone(pending.bus());
            match bus.runtime() {
                Some(runtime) => report.count_given(pending.spawn(runtime, None)),
                None => report.fail(bus.report(pending.refuse())),
            }
        }
        for room in rooms {
            room.settle(&mut report);
        }
        // After their cause's own, as when the emission is awaited.
        drop(returned);
        report
    }

    fn take(&mut self) -> Open {
        let rest = self.rest.take().map(|rest| *rest).unwrap_or_default();
        let report = Report {
            ran: self.counts.ran(),
            skipped: self.counts.skipped(),
            failed: rest.failed,
            queued: rest.queued,
            details: rest.details,
        };
        Open {
            report,
            pending: rest.pending,
            rooms: rest.rooms,
            returned: rest.returned,
        }
    }
}

impl Rest {
    fn has_open(&self) -> bool {
        !self.pending.is_empty() || !self.rooms.is_empty()
    }
}

/// An emission's parts: what is known by now, and what is still to be done.
struct Open {
    report: Report,
    pending: Vec<Pending>,
    rooms: Vec<Room>,
    returned: Vec<Emission>,
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
        rooms: Vec<Room>,
        returned: Vec<EmissionFuture>,
    },
    /// On the bus's runtime.
    There {
        completion: Arc<Completion>,
        rooms: Vec<Room>,
        runtime: Arc<dyn Runtime>,
    },
    Over,
}

impl Stage {
    fn start(mut emission: Emission) -> Self {
        let Open {
            report,
            pending,
            rooms,
            returned,
        } = emission.take();
        let first = pending
            .first()
            .or_else(|| returned.first()?.first_pending());
        let bus = first.map(|pending| Arc::clone(pending.bus()));
        let Some(runtime) = bus.as_ref().and_then(|bus| bus.shared_runtime()) else {
            let returned = returned.into_iter().map(Emission::into_future).collect();
            return Stage::Here {
                report,
                pending,
                rooms,
                returned,
            };
        };
        let completion = Arc::new(Completion::new(report));
        for pending in pending {
            let given = pending.spawn(&**runtime, Some(&completion));
            completion.count(given);
        }
        drop(returned);
        Stage::There {
            completion,
            rooms,
            runtime: Arc::clone(runtime),
        }
    }
}

impl Future for EmissionFuture {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let who = std::ptr::from_ref(&*self).addr();
        if let Stage::Ready(emission) = &mut self.0 {
            let emission = std::mem::take(emission);
            self.0 = Stage::start(emission);
        }
        let report = match &mut self.0 {
            Stage::Here {
                report,
                pending,
                rooms,
                returned,
            } => {
                rooms.retain_mut(|room| room.poll(cx, report).is_pending());
                let mut follow = Vec::new();
                pending.retain_mut(|delivery| match delivery.poll(cx) {
                    Poll::Pending => true,
                    Poll::Ready(end) => {
                        report.count_ended(end.result);
                        if !end.returned.is_empty() {
                            // Emitted only after this round: every listener of the event has been started by then.
                            follow.push((delivery.follow_up(), end.returned));
                        }
                        false
                    }
                });
                let mut sources = Vec::new();
                for (source, events) in follow {
                    let emission = source.emit(events);
                    if emission.is_open() {
                        returned.push(emission.into_future());
                        sources.push(source);
                    }
                }
                returned.retain_mut(|emission| Pin::new(emission).poll(cx).is_pending());
                drop(sources);
                if !pending.is_empty() || !rooms.is_empty() || !returned.is_empty() {
                    return Poll::Pending;
                }
                std::mem::take(report)
            }
            Stage::There {
                completion,
                rooms,
                runtime,
            } => {
                let mut more = Report::default();
                rooms.retain_mut(|room| room.poll(cx, &mut more).is_pending());
                completion.add(more);
                match completion.poll(cx) {
                    Poll::Ready(report) if rooms.is_empty() => report,
                    Poll::Ready(report) => {
                        completion.add(report);
                        return Poll::Pending;
                    }
                    Poll::Pending => {
                        runtime.help(who, cx);
                        return Poll::Pending;
                    }
                }
            }
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
            Stage::There { .. } => "EmissionFuture(on the runtime)",
            Stage::Over => "EmissionFuture(over)",
        })
    }
}
