//! Deliveries behind a queue: what the package that brings queues needs of the core.

mod berth;

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use berth::{Berth, Opened};

use crate::dispatch::failure::FailureKind;
use crate::dispatch::stack::Entry;
use crate::event::EventOps;
use crate::interceptor::{self, Attempt};
use crate::listener::ListenerInfo;

/// What carries the deliveries of one listener on one bus.
pub trait Lane: Send + Sync + 'static {
    /// The bus is made, and its ticks begin.
    fn open(&self) {}
    /// The bus is about to end: what waits for its time is delivered, and ticks end.
    fn rest(&self) {}
    /// Nothing more is taken in; what is there is delivered.
    fn close(&self);
    /// Takes out what has not begun, and what waits for its next try.
    fn abandon(&self) -> Abandoned;
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
    /// How many gave way to a later one: an event of a listener with `debounce` or `throttle`, and a tick that came too late.
    pub replaced: u64,
    /// How often a delivery was tried again: every retry counts.
    pub retried: u64,
    /// How many failed for good.
    pub failed: u64,
    /// How many were given up before they began, or before their next try: at the end of the bus, or of its runtime.
    pub abandoned: u64,
    /// How many run now.
    pub in_flight: usize,
    /// How many wait for the time of their next try.
    pub in_backoff: usize,
}

/// What a lane had left.
pub struct Abandoned {
    /// How many deliveries had not begun.
    pub waiting: usize,
    /// How many waited for their next try.
    pub in_backoff: usize,
    /// How many were given to workers, ever; a retry does not count.
    pub taken: u64,
}

/// Says of an error whether it is worth one more try.
pub type RetryIf<'a> = dyn Fn(&(dyn Error + Send + Sync + 'static)) -> bool + Sync + 'a;

/// One call of a listener.
pub struct Turn<'a> {
    /// Where its first event comes from.
    pub origin: Origin,
    /// How many deliveries it is.
    pub deliveries: usize,
    /// Whether they were tried before.
    pub again: bool,
    /// Which errors are worth one more try, if there may be one.
    pub retry: Option<&'a RetryIf<'a>>,
    /// Its events, for who looks at every call.
    pub events: &'a Events<'a>,
}

/// Where each event of a call comes from, and its payload.
pub type Events<'a> = dyn Fn() -> Vec<(Origin, Arc<dyn Any + Send + Sync>)> + Sync + 'a;

impl Turn<'_> {
    fn given(&self, listener: &ListenerInfo) -> Vec<interceptor::Given> {
        let given = |(origin, payload): (Origin, _)| {
            let attempt = Attempt {
                listener: listener.clone(),
                emission: origin.own.number(),
                ops: origin.ops,
                port: None,
            };
            (attempt, payload)
        };
        (self.events)().into_iter().map(given).collect()
    }
}

/// Where a delivery comes from.
#[derive(Clone, Copy)]
pub struct Origin {
    pub(crate) own: Entry,
    pub(crate) ops: &'static EventOps,
    pub(crate) depth: usize,
    pub(crate) cause: Option<Entry>,
}

impl Origin {
    /// Whether the event was emitted while another one was delivered.
    pub fn is_caused(&self) -> bool {
        self.cause.is_some()
    }
}

/// What a lane said to an offer.
pub enum Offer {
    /// It will be delivered.
    Accepted,
    /// The condition, or the rule for a full queue, lets it go.
    Skipped,
    /// Nobody was there any more: a wait that another thread ended.
    Absent,
    /// It will not be delivered.
    Refused(FailureKind, String),
    /// There is no room, and it has taken its place in the line; the future ends when it is accepted or refused. Dropped before, the delivery is
    /// rejected.
    Full(Pin<Box<dyn Wait>>),
}

/// A delivery that waits for room.
pub trait Wait: Future<Output = Offer> + Send {
    /// Waits for a moment, on a thread that has nothing else to do: to park and be woken costs more than most waits last.
    fn linger(&self);

    /// Waits no longer. `false` if the delivery was accepted meanwhile.
    fn leave(self: Pin<&mut Self>) -> bool;
}

/// How a delivery ended.
pub enum Delivered {
    /// The listener returned.
    Ran,
    /// The listener wanted none.
    Skipped,
    /// It is to be tried again.
    Retry,
    /// It is reported.
    Failed,
    /// The bus gave it up before it began, and it is reported.
    Abandoned,
}

macro_rules! opaque {
    ($($name:ident $(<$lifetime:lifetime>)?)*) => {
        $(impl fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        })*
    };
}

opaque!(Abandoned Berth Turn<'_> Origin Offer Delivered Opened<'_>);
