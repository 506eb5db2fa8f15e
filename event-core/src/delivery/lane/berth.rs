//! The bus side of a lane: what each delivery of it needs of the bus.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use super::{Delivered, Offer, Origin, Turn};
use crate::build::installer::BoxFuture;
use crate::bus::Inner;
use crate::bus::hook::{self, Hook};
use crate::bus::work::{Tally, Work};
use crate::delivery::pace::Pace;
use crate::delivery::runs::{Begun, Runs, Seat};
use crate::delivery::{Ended, Flights, Pending, follow_up};
use crate::dispatch::context::{Context, Handed};
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded, panic_message};
use crate::dispatch::stack::{self, Chain};
use crate::interceptor;
use crate::listener::ListenerInfo;
use crate::listener::returns::Step;
use crate::runtime::{Task, after};

/// The bus side of a lane: known once the bus is made.
pub struct Berth {
    flights: Arc<Flights>,
    tally: Arc<Tally>,
    runs: Runs,
    bus: OnceLock<Side>,
}

struct Side {
    bus: Weak<Inner>,
    work: Arc<Work>,
    is_default: bool,
    listener: ListenerInfo,
    hook: Arc<Hook>,
    /// Whether an interceptor looks at every call.
    watched: bool,
}

impl Berth {
    pub(crate) fn new(flights: Arc<Flights>) -> Self {
        Self {
            flights,
            tally: Arc::new(Tally::new()),
            runs: Runs::new(),
            bus: OnceLock::new(),
        }
    }

    /// What counts its deliveries.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    pub(crate) fn flights(&self) -> Weak<Flights> {
        Arc::downgrade(&self.flights)
    }

    pub(crate) fn open(&self, bus: &Arc<Inner>, listener: ListenerInfo) {
        let side = Side {
            bus: Arc::downgrade(bus),
            work: Arc::clone(&bus.work),
            is_default: bus.is_default,
            listener,
            hook: Arc::clone(&bus.hook),
            watched: bus.interceptor().is_some(),
        };
        // A lane is made for one bus.
        if self.bus.set(side).is_ok() {
            bus.work.add(&self.tally);
        }
    }

    /// Counts a delivery among what the bus has open, until [`ended`](Self::ended) is told of it. What is returned tells of it when it is
    /// dropped.
    ///
    /// # Errors
    ///
    /// What to say to the offer when the bus keeps nothing for later.
    pub fn take_in(&self) -> Result<Opened<'_>, Offer> {
        match self.bus.get() {
            Some(side) if side.is_default => Err(Offer::Refused(
                FailureKind::NoBus,
                "nobody waits for the queues of the default bus when `main` ends; build a bus and keep its guard: `let bus = Bus::builder().build()?.install()?;`".to_owned(),
            )),
            Some(side) if !side.work.is_closed() => {
                self.tally.open();
                Ok(Opened(self))
            }
            _ => Err(Offer::Refused(FailureKind::Closed, "the bus is shut down".to_owned())),
        }
    }

    /// So many deliveries that were taken in have ended, and nothing is left of them.
    pub fn ended(&self, deliveries: usize) {
        if let Some(side) = self.bus.get() {
            self.tally.end(&side.work, deliveries);
        }
    }

    pub(crate) fn bus(&self) -> Option<Arc<Inner>> {
        self.bus.get()?.bus.upgrade()
    }

    pub(crate) fn listener(&self) -> Option<ListenerInfo> {
        self.bus.get().map(|side| side.listener.clone())
    }

    /// Since when each delivery runs, the oldest first.
    pub(crate) fn under_way(&self) -> Vec<Instant> {
        self.runs.under_way()
    }

    /// That many deliveries will not be tried again.
    pub fn lose(&self, deliveries: usize) {
        self.runs.lose(deliveries);
    }

    /// From here on nothing begins. `None` the second time.
    pub(crate) fn give_up(&self) -> Option<Begun> {
        self.runs.give_up()
    }

    /// Runs one call: `start` makes the listener's future.
    pub async fn deliver(
        &self,
        turn: Turn<'_>,
        start: impl FnOnce(Handed) -> Option<BoxFuture>,
    ) -> Delivered {
        let Some((bus, listener)) = self.bus().zip(self.listener()) else {
            return self.gone(turn.deliveries);
        };
        let Some(seat) = self.runs.begin(bus.now(), turn.deliveries, turn.again) else {
            return Delivered::Abandoned;
        };
        let origin = turn.origin;
        let handed = Handed {
            bus,
            ops: origin.ops,
            listener,
            depth: origin.depth,
            cause: origin.cause,
        };
        let chain = Chain::One(origin.own);
        let started = {
            let handed = handed.clone();
            stack::with(|stack| {
                let _resumed = stack.resume(chain.entries());
                catch_unwind(AssertUnwindSafe(|| start(handed)))
            })
        };
        let future = match started {
            Ok(Some(future)) if handed.bus.interceptor().is_some() => {
                interceptor::future(&handed.bus, turn.given(&handed.listener), future)
            }
            Ok(Some(future)) => future,
            Ok(None) => return Delivered::Skipped,
            Err(panic) => {
                let message = panic_message(panic);
                let failure = self.failure(FailureKind::Panic, message);
                return self.failed(&turn, seat, failure);
            }
        };
        let mut pending =
            Pending::new(handed, chain, future.into(), &self.flights).behind_a_queue();
        let end = poll_fn(|cx| pending.poll(cx)).await;
        if !end.returned.is_empty() {
            drop(pending.follow_up().emit(end.returned, false));
        }
        match end.result {
            Ok(Ended::Ran) => Delivered::Ran,
            Ok(Ended::Skipped) => Delivered::Skipped,
            Err(failure) => self.failed(&turn, seat, failure),
        }
    }

    /// What a test has the next call of a plain function wait for.
    pub fn delay(&self) -> Option<Task> {
        let side = self.bus.get().filter(|side| side.watched)?;
        let bus = side.bus.upgrade()?;
        let time = bus.interceptor()?.delay(&side.listener)?;
        Some(bus.sleep_until(after(bus.now(), time)))
    }

    /// Runs one call of a plain function.
    pub fn deliver_now(
        &self,
        turn: &Turn<'_>,
        pace: &mut Pace,
        call: impl FnOnce(&Context<'_>) -> Step,
    ) -> Delivered {
        let Some((side, bus)) = self
            .bus
            .get()
            .and_then(|side| Some((side, side.bus.upgrade()?)))
        else {
            return self.gone(turn.deliveries);
        };
        if turn.again {
            pace.stop();
        }
        let since = pace.time(|| bus.now());
        let Some(seat) = self.runs.begin(since, turn.deliveries, turn.again) else {
            return Delivered::Abandoned;
        };
        let origin = turn.origin;
        let cx = Context {
            bus: &bus,
            ops: origin.ops,
            listener: &side.listener,
            depth: origin.depth,
            cause: origin.cause,
        };
        let returned = stack::with(|stack| {
            let _resumed = stack.resume(&[origin.own]);
            catch_unwind(AssertUnwindSafe(|| match bus.interceptor() {
                None => call(&cx),
                Some(watcher) => {
                    let given = turn.given(&side.listener);
                    interceptor::call_each(&**watcher, &given, || call(&cx))
                }
            }))
        });
        let effects = match returned {
            Ok(Step::More(effects)) => *effects,
            Ok(Step::Skipped) => return Delivered::Skipped,
            Ok(_) => return Delivered::Ran,
            Err(panic) => {
                let failure = self.failure(FailureKind::Panic, panic_message(panic));
                return self.failed(turn, seat, failure);
            }
        };
        let Some(error) = effects.error else {
            drop(follow_up(bus, origin.own).emit(effects.events, false));
            return Delivered::Ran;
        };
        if let Err(message) = drop_guarded(effects.events) {
            bus.tell_drop(Some(&side.listener), "what it returned", &message);
        }
        self.failed(turn, seat, Failure::error(side.listener.clone(), error))
    }

    /// Says what becomes of a call that failed, and tells of it if that is the end.
    fn failed(&self, turn: &Turn<'_>, seat: Seat<'_>, failure: Failure) -> Delivered {
        if failure.kind() == FailureKind::Abandoned && seat.is_given_up() {
            return Delivered::Abandoned;
        }
        let judged = turn.retry.zip(failure.source());
        if judged.is_some_and(|(retry, error)| retry(error)) && seat.end_for_now() {
            return Delivered::Retry;
        }
        self.tell_of(Some(turn.origin), failure, turn.deliveries);
        Delivered::Failed
    }

    /// For a call that begins after the last handle of the bus was dropped: its worker had taken it before.
    #[cold]
    fn gone(&self, deliveries: usize) -> Delivered {
        for _ in 0..deliveries {
            let gone = "the last handle of the bus was dropped before the delivery began";
            self.tell(None, self.failure(FailureKind::Abandoned, gone));
        }
        Delivered::Abandoned
    }

    /// Tells the hook of a failure.
    pub fn tell(&self, origin: Option<Origin>, failure: Failure) {
        self.tell_of(origin, failure, 1);
    }

    fn tell_of(&self, origin: Option<Origin>, failure: Failure, deliveries: usize) {
        let Some(side) = self.bus.get() else {
            drop(hook::tell_without_bus(failure));
            return;
        };
        let Some(bus) = side.bus.upgrade() else {
            side.hook.tell(&failure);
            return;
        };
        let chain: Vec<_> = origin.into_iter().map(|origin| origin.own).collect();
        stack::with(|stack| {
            let _resumed = (!chain.is_empty()).then(|| stack.resume(&chain));
            drop(bus.report_of(failure, deliveries));
        });
    }

    /// A failure of the lane's listener.
    pub fn failure(&self, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::new(self.listener(), kind, message)
    }
}

/// A delivery that was taken in. Forgotten, it stays open.
#[must_use = "dropped, it has ended"]
pub struct Opened<'a>(&'a Berth);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.ended(1);
    }
}
