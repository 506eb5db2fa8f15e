//! One delivery as a listener sees it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::bus::{Bus, Inner};
use crate::check::check_carried;
use crate::dispatch::emission::Emission;
use crate::dispatch::stack::{Entry, Frame};
use crate::event::{Event, EventOps};
use crate::listener::ListenerInfo;
use crate::request::{Request, RequestFuture};
use crate::waits::{EventStream, NextFuture};

/// This delivery: a parameter of a listener, by value.
///
/// ```standalone_crate
/// use tidings::{Bus, Context, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[event]
/// struct Paid;
///
/// #[listener]
/// fn charge(_: &Placed, cx: Context<'_>) {
///     cx.emit(Paid);
/// }
///
/// #[listener]
/// fn audit(_: &Paid, cx: Context<'_>) {
///     let cause = cx.cause().expect("`charge` emitted it");
///     assert_eq!(cause.topic(), "placed");
///     assert!(cause.listener().is_some_and(|l| l.function() == "charge"));
///     assert_eq!(cx.depth(), 2);
/// }
///
/// assert_eq!(Bus::builder().build()?.emit(Placed).report().failed(), 0);
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub(crate) bus: &'a Arc<Inner>,
    pub(crate) ops: &'static EventOps,
    pub(crate) listener: &'a ListenerInfo,
    pub(crate) depth: usize,
    pub(crate) cause: Option<Entry>,
}

impl<'a> Context<'a> {
    /// Emits on the bus of this delivery.
    #[track_caller]
    pub fn emit<E: Event>(&self, event: E) -> Emission {
        self.bus.emit(event)
    }

    /// Emits a request on the bus of this delivery and waits for its answer, as [`Bus::request`] does.
    #[track_caller]
    pub fn request<E: Request>(&self, event: E) -> RequestFuture<E> {
        self.bus.request(event, Location::caller())
    }

    /// Waits for an event on the bus of this delivery, as [`Bus::next`] does.
    ///
    /// The wait ends with an error when the bus is being shut down, so that this delivery does not hold it up.
    #[track_caller]
    pub fn next<E: Event + Send + Sync>(&self) -> NextFuture<E> {
        const { check_carried::<E>() };
        self.bus.next(|_: &E| true, Location::caller())
    }

    /// Waits for an event that a closure wants, as [`Bus::next_where`] does.
    #[track_caller]
    pub fn next_where<E: Event + Send + Sync>(
        &self,
        wanted: impl Fn(&E) -> bool + Send + Sync + 'static,
    ) -> NextFuture<E> {
        const { check_carried::<E>() };
        self.bus.next(wanted, Location::caller())
    }

    /// The events from now on, as [`Bus::stream`] gives them. The stream ends when the bus is being shut down.
    #[track_caller]
    pub fn stream<E: Event + Send + Sync>(&self) -> EventStream<E> {
        const { check_carried::<E>() };
        self.bus.stream(Location::caller())
    }

    /// The bus of this delivery.
    pub fn bus(&self) -> Bus {
        Bus::from_inner(Arc::clone(self.bus))
    }

    /// The event's topic.
    pub fn topic(&self) -> &'static str {
        (self.ops.info)().topic()
    }

    /// The listener that runs.
    pub fn listener(&self) -> &'a ListenerInfo {
        self.listener
    }

    /// How many emissions stand on each other, this one included: 1 outside of any listener, 64 at most. 0 in a listener of a protocol, whose event
    /// comes from a connection and not from an emission.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The delivery that emitted this event, if a listener did.
    pub fn cause(&self) -> Option<Cause> {
        self.cause.map(Cause)
    }
}

impl Site for Context<'_> {
    fn context(&self) -> Context<'_> {
        *self
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("topic", &self.topic())
            .field("listener", &self.listener.id())
            .field("depth", &self.depth)
            .finish()
    }
}

/// The delivery in which an event was emitted.
#[derive(Clone, Copy)]
pub struct Cause(Entry);

impl Cause {
    /// The topic that was being delivered.
    pub fn topic(&self) -> &'static str {
        self.0.topic()
    }

    /// The listener that emitted; `None` when its bus or its subscription is gone.
    pub fn listener(&self) -> Option<ListenerInfo> {
        self.0.listener()
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cause")
            .field("topic", &self.topic())
            .field("listener", &self.listener().map(|l| l.id().to_owned()))
            .finish()
    }
}

/// Where a context can be had from: an inline delivery or one that was handed over.
#[doc(hidden)]
pub trait Site {
    fn context(&self) -> Context<'_>;
}

/// An inline delivery. Lives on the emitting stack.
#[doc(hidden)]
pub struct Delivery<'a> {
    pub(crate) bus: &'a Arc<Inner>,
    pub(crate) ops: &'static EventOps,
    /// The event's linked listeners, or the one that runs.
    pub(crate) infos: &'a [ListenerInfo],
    pub(crate) frame: &'a Frame<'a>,
}

impl Site for Delivery<'_> {
    fn context(&self) -> Context<'_> {
        Context {
            bus: self.bus,
            ops: self.ops,
            listener: self.infos.get(self.frame.at()).unwrap_or(&self.infos[0]),
            depth: self.frame.depth(),
            cause: self.frame.cause(),
        }
    }
}

impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery({})", (self.ops.info)().topic())
    }
}

/// A delivery that outlives the emission: what an async listener's future owns.
#[doc(hidden)]
#[derive(Clone)]
pub struct Handed {
    pub(crate) bus: Arc<Inner>,
    pub(crate) ops: &'static EventOps,
    pub(crate) listener: ListenerInfo,
    pub(crate) depth: usize,
    pub(crate) cause: Option<Entry>,
}

impl Site for Handed {
    fn context(&self) -> Context<'_> {
        Context {
            bus: &self.bus,
            ops: self.ops,
            listener: &self.listener,
            depth: self.depth,
            cause: self.cause,
        }
    }
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handed({})", self.listener.id())
    }
}
