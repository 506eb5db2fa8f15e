//! Deliveries behind a queue: what the package that brings queues needs of the core.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};

use crate::bus::Inner;
use crate::context::Handed;
use crate::delivery::{Ended, Flights, Pending};
use crate::event::EventOps;
use crate::failure::{Failure, FailureKind};
use crate::hook;
use crate::installer::BoxFuture;
use crate::interceptor::{self, Attempt};
use crate::listener::ListenerInfo;
use crate::stack::{self, Entry};
use crate::work::{Lease, Work};

/// What carries the deliveries of one listener on one bus.
pub trait Lane: Send + Sync + 'static {
    /// Nothing more is taken in; what is there is delivered.
    fn close(&self);
    /// Takes out what has not begun; how many deliveries that were.
    fn abandon(&self) -> usize;
    /// The figures of now.
    fn stats(&self) -> QueueStats;
}

/// The figures of one queue, all of one moment: see [`Bus::queues`](crate::Bus::queues).
///
/// ```standalone_crate
/// use std::time::Duration;
/// use tidings::{Bus, QueueStats, event, listener};
///
/// #[event]
/// struct Paid {
///     cents: u32,
/// }
///
/// #[listener(queue = 16)]
/// fn book(e: &Paid) -> Result<(), String> {
///     if e.cents == 0 { Err("nothing was paid".into()) } else { Ok(()) }
/// }
///
/// let bus = Bus::builder().on_failure(|_| ()).build()?;
/// for cents in [0, 100, 250] {
///     bus.emit(Paid { cents });
/// }
/// bus.shutdown_blocking(Duration::from_secs(5))?;
///
/// let figures: QueueStats = bus.queues()[0].1;
/// assert_eq!((figures.delivered, figures.failed), (2, 1));
/// assert_eq!((figures.depth, figures.in_flight, figures.oldest), (0, 0, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// How many deliveries wait.
    pub depth: usize,
    /// The most that ever waited.
    pub high_water: usize,
    /// For how long the oldest one waits. Deliveries that came close together share the time of the first of them.
    pub oldest: Option<std::time::Duration>,
    /// How many the listener ended without failure.
    pub delivered: u64,
    /// How many were not made, because the listener wanted none.
    pub skipped: u64,
    /// How many the queue let go because it was full, as its `overflow` says.
    pub dropped: u64,
    /// How many the full queue refused, those among them whose emitter gave up waiting for room.
    pub rejected: u64,
    /// How often a delivery was tried again: every retry counts.
    pub retried: u64,
    /// How many failed for good.
    pub failed: u64,
    /// How many run now.
    pub in_flight: usize,
    /// How many wait for the time of their next try.
    pub in_backoff: usize,
}

/// The bus side of a lane: known once the bus is made.
pub struct Berth {
    flights: Arc<Flights>,
    bus: OnceLock<(Weak<Inner>, ListenerInfo)>,
}

/// Where a delivery comes from.
#[derive(Clone, Copy)]
pub struct Origin {
    pub(crate) own: Entry,
    pub(crate) ops: &'static EventOps,
    pub(crate) depth: usize,
    pub(crate) cause: Option<Entry>,
}

/// What a lane said to an offer.
pub enum Offer {
    /// It will be delivered.
    Accepted,
    /// The condition, or the rule for a full queue, lets it go.
    Skipped,
    /// It will not be delivered.
    Refused(FailureKind, String),
    /// There is no room; the future ends when it is accepted or refused. Dropped before, the delivery is rejected.
    Full(Pin<Box<dyn Future<Output = Offer> + Send>>),
}

/// How a delivery ended.
pub enum Delivered {
    /// The listener returned.
    Ran,
    /// The listener wanted none.
    Skipped,
    /// It is not reported yet.
    Failed(Failure),
}

impl Berth {
    pub(crate) fn new(flights: Arc<Flights>) -> Self {
        Self {
            flights,
            bus: OnceLock::new(),
        }
    }

    pub(crate) fn flights(&self) -> Weak<Flights> {
        Arc::downgrade(&self.flights)
    }

    pub(crate) fn open(&self, bus: &Arc<Inner>, listener: ListenerInfo) {
        // A lane is made for one bus.
        let _ = self.bus.set((Arc::downgrade(bus), listener));
    }

    /// Counts an accepted delivery among what the bus has open, until it is dropped.
    ///
    /// # Errors
    ///
    /// What to say to the offer when the bus keeps nothing for later.
    pub fn lease(&self) -> Result<Leased, Offer> {
        match self.bus() {
            Some(bus) if bus.is_default => Err(Offer::Refused(
                FailureKind::NoBus,
                "nobody waits for the queues of the default bus when `main` ends; build a bus and keep its guard: `let bus = Bus::builder().build()?.install()?;`".to_owned(),
            )),
            Some(bus) if !bus.work.is_closed() => Ok(Leased(Work::lease(&bus.work))),
            _ => Err(Offer::Refused(FailureKind::Closed, "the bus is shut down".to_owned())),
        }
    }

    fn bus(&self) -> Option<Arc<Inner>> {
        self.bus.get()?.0.upgrade()
    }

    fn listener(&self) -> Option<ListenerInfo> {
        self.bus.get().map(|(_, listener)| listener.clone())
    }

    /// Runs one delivery: `start` makes the listener's future.
    pub async fn deliver(
        &self,
        origin: Origin,
        payloads: impl FnOnce() -> Vec<(Origin, Arc<dyn Any + Send + Sync>)>,
        start: impl FnOnce(Handed) -> Option<BoxFuture>,
    ) -> Delivered {
        let Some((bus, listener)) = self.bus().zip(self.listener()) else {
            let gone = "the last handle of the bus was dropped before the delivery began";
            return Delivered::Failed(self.failure(FailureKind::Abandoned, gone));
        };
        let handed = Handed {
            bus: Arc::clone(&bus),
            ops: origin.ops,
            listener,
            depth: origin.depth,
            cause: origin.cause,
        };
        let chain = vec![origin.own];
        let started = {
            let handed = handed.clone();
            stack::with(|stack| {
                let _resumed = stack.resume(&chain);
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| start(handed)))
            })
        };
        let future = match started {
            Ok(Some(future)) if bus.interceptor().is_some() => {
                let listener = &handed.listener;
                let attempt = |origin: Origin| Attempt {
                    listener: listener.clone(),
                    emission: origin.own.number(),
                    ops: origin.ops,
                };
                let given = payloads()
                    .into_iter()
                    .map(|(origin, payload)| (attempt(origin), payload));
                interceptor::future(&bus, given.collect(), future)
            }
            Ok(Some(future)) => future,
            Ok(None) => return Delivered::Skipped,
            Err(panic) => {
                let message = crate::failure::panic_message(panic);
                return Delivered::Failed(self.failure(FailureKind::Panic, message));
            }
        };
        let mut pending = Pending::new(handed, chain, future, &self.flights).behind_a_queue();
        let end = poll_fn(|cx| pending.poll(cx)).await;
        if !end.returned.is_empty() {
            drop(pending.follow_up().emit(end.returned));
        }
        match end.result {
            Ok(Ended::Ran) => Delivered::Ran,
            Ok(Ended::Skipped) => Delivered::Skipped,
            Err(failure) => Delivered::Failed(failure),
        }
    }

    /// Tells the hook of a failure.
    pub fn tell(&self, origin: Option<Origin>, failure: Failure) {
        let Some(bus) = self.bus() else {
            drop(hook::tell_without_bus(failure));
            return;
        };
        let chain: Vec<_> = origin.into_iter().map(|origin| origin.own).collect();
        stack::with(|stack| {
            let _resumed = (!chain.is_empty()).then(|| stack.resume(&chain));
            drop(bus.report(failure));
        });
    }

    /// A failure of the lane's listener.
    pub fn failure(&self, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::new(self.listener(), kind, message)
    }
}

/// One open delivery.
pub struct Leased(#[expect(dead_code, reason = "held to be dropped")] Lease);

impl Delivered {
    /// The error that the listener returned.
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self {
            Delivered::Failed(failure) => failure.source(),
            Delivered::Ran | Delivered::Skipped => None,
        }
    }
}

macro_rules! opaque {
    ($($name:ident)*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        })*
    };
}

opaque!(Berth Origin Offer Delivered Leased);
