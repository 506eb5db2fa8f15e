//! An emission under way: the report so far, and what is still to be delivered.

mod counts;
mod future;
mod spare;

use std::fmt;
use std::sync::Arc;

pub use future::EmissionFuture;

use self::counts::Counts;
pub(crate) use self::counts::MOST;
use crate::bus::Inner;
use crate::delivery::Batch;
use crate::delivery::room::Room;
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded};
use crate::dispatch::report::{Details, Report};
use crate::event::EventOps;
use crate::listener::ListenerInfo;

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

#[derive(Default)]
struct Rest {
    failed: u32,
    details: Option<Box<Details>>,
    /// What the counts have no room for.
    beyond: Beyond,
    batch: Batch,
    /// Deliveries that wait for room in a queue.
    rooms: Vec<Room>,
    /// Emissions of returned events that have async deliveries.
    returned: Vec<Emission>,
    /// The event, when there is an async delivery of it.
    ops: Option<&'static EventOps>,
}

#[derive(Default)]
struct Beyond {
    ran: u32,
    skipped: u32,
    queued: u32,
}

impl Emission {
    #[inline]
    pub(crate) fn nothing() -> Self {
        Self {
            counts: Counts::default(),
            rest: None,
        }
    }

    #[inline]
    pub(crate) fn ran(passed: usize, skipped: u32) -> Self {
        let skipped = u64::from(skipped);
        Self {
            counts: Counts::of(passed as u64 - skipped, skipped),
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
        if !self.counts.add_ran() {
            self.rest().beyond.ran += 1;
        }
    }

    pub(crate) fn count_skipped(&mut self) {
        if !self.counts.add_skipped() {
            self.rest().beyond.skipped += 1;
        }
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
        if !self.counts.add_queued() {
            self.rest().beyond.queued += 1;
        }
    }

    pub(crate) fn wait_for(&mut self, room: Room) {
        self.rest().rooms.push(room);
    }

    /// Where the async deliveries of the event are kept.
    pub(crate) fn batch(&mut self, ops: &'static EventOps) -> &mut Batch {
        let rest = self.rest.get_or_insert_with(|| spare::take(ops));
        &mut rest.batch
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
        self.counts.ran() + self.counts.queued() > 0
            || self
                .rest
                .as_ref()
                .is_some_and(|rest| rest.failed > 0 || rest.has_open())
    }

    /// Why no listener was reached, if the bus did not take the event.
    pub(crate) fn refusal(&self) -> Option<String> {
        let details = self.rest.as_ref()?.details.as_ref()?;
        let refused = |failure: &&Failure| {
            let whole = matches!(
                failure.kind(),
                FailureKind::Closed | FailureKind::Depth | FailureKind::NoBus
            );
            whole && failure.listener().is_none()
        };
        let failure = details.failures.iter().find(refused)?;
        Some(failure.message().to_owned())
    }

    fn bus(&self) -> Option<&Arc<Inner>> {
        self.rest.as_ref()?.batch.bus()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.rest
            .as_ref()
            .is_some_and(|rest| rest.has_open() || !rest.returned.is_empty())
    }

    /// The report, with async deliveries handed to the bus's runtime and counted as queued.
    ///
    /// Without a runtime each of them is a failure of the kind [`NoRuntime`](crate::FailureKind::NoRuntime).
    pub fn report(mut self) -> Report {
        let (mut report, rooms, returned) = self.hand_over();
        for room in rooms {
            room.settle(&mut report);
        }
        // After their cause's own, as when the emission is awaited.
        drop(returned);
        report
    }

    /// The same, with what waits for room of the event itself and of those that were returned.
    pub(crate) fn into_rooms(mut self) -> (Report, Vec<Room>, Vec<Room>) {
        let (report, rooms, returned) = self.hand_over();
        let others = returned.into_iter().flat_map(Self::start_rooms);
        (report, rooms, others.collect())
    }

    /// Gives the async deliveries to the bus's runtime.
    fn hand_over(&mut self) -> (Report, Vec<Room>, Vec<Emission>) {
        let Open {
            mut report,
            mut rest,
            rooms,
            returned,
        } = self.take();
        if let Some(rest) = &mut rest {
            let mut now = None;
            while let Some(mut pending) = rest.batch.next() {
                let bus = Arc::clone(pending.bus());
                match bus.runtime() {
                    Some(runtime) => {
                        let now = *now.get_or_insert_with(|| runtime.now());
                        report.count_given(pending.spawn(runtime, None, now));
                    }
                    None => report.fail(bus.report(pending.refuse())),
                }
            }
        }
        if let Some(rest) = rest {
            spare::give(rest);
        }
        (report, rooms, returned)
    }

    /// Gives its async deliveries to the runtime, and leaves what waits for room to whoever awaits its cause.
    pub(crate) fn start_rooms(mut self) -> Vec<Room> {
        let Some(rest) = &mut self.rest else {
            return Vec::new();
        };
        let mut rooms = std::mem::take(&mut rest.rooms);
        let returned = std::mem::take(&mut rest.returned);
        // Its own first.
        drop(self);
        rooms.extend(returned.into_iter().flat_map(Self::start_rooms));
        rooms
    }

    fn take(&mut self) -> Open {
        let mut open = Open {
            report: Report {
                ran: self.counts.ran(),
                skipped: self.counts.skipped(),
                queued: self.counts.queued(),
                ..Report::default()
            },
            rest: self.rest.take(),
            rooms: Vec::new(),
            returned: Vec::new(),
        };
        if let Some(rest) = &mut open.rest {
            open.report.failed = std::mem::take(&mut rest.failed);
            let beyond = std::mem::take(&mut rest.beyond);
            open.report.ran += beyond.ran;
            open.report.skipped += beyond.skipped;
            open.report.queued += beyond.queued;
            open.report.details = rest.details.take();
            open.rooms = std::mem::take(&mut rest.rooms);
            open.returned = std::mem::take(&mut rest.returned);
        }
        open
    }
}

impl Rest {
    fn has_open(&self) -> bool {
        !self.batch.is_empty() || !self.rooms.is_empty()
    }
}

/// An emission's parts: what is known by now, and what is still to be done.
struct Open {
    report: Report,
    /// With the async deliveries alone.
    rest: Option<Box<Rest>>,
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
            if let Some(rest) = self.rest.take() {
                spare::give(rest);
            }
        }
    }
}

impl fmt::Debug for Emission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, pending) = self
            .rest
            .as_ref()
            .map_or((0, 0), |rest| (rest.failed, rest.batch.len()));
        f.debug_struct("Emission")
            .field("ran", &self.counts.ran())
            .field("skipped", &self.counts.skipped())
            .field("failed", &failed)
            .field("pending", &pending)
            .finish()
    }
}
