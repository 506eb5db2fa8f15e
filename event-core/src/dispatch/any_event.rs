//! An event whose type is not known to who looks at it.

use std::any::Any;
use std::fmt;

use fragile::Fragile;

use crate::event::{Event, EventOps};

/// Any event that a pattern listener hears: its topic and version, and its payload for who knows the type.
///
/// ```standalone_crate
/// # use std::sync::{Arc, Mutex};
/// use tidings::{AnyEvent, Bus, event};
///
/// #[event("orders.placed")]
/// struct Placed {
///     order: u64,
/// }
///
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let bus = Bus::empty();
/// let log = Arc::clone(&seen);
/// bus.on_topic("orders.*", move |event: &AnyEvent<'_>| {
///     let order = event.downcast_ref::<Placed>().map(|placed| placed.order);
///     log.lock().unwrap().push((event.topic().to_owned(), order));
/// })?
/// .forever();
///
/// bus.emit(Placed { order: 7 });
///
/// assert_eq!(*seen.lock().unwrap(), [("orders.placed".to_owned(), Some(7))]);
/// # Ok::<(), tidings::PatternError>(())
/// ```
pub struct AnyEvent<'a> {
    ops: &'static EventOps,
    payload: Payload<'a>,
}

enum Payload<'a> {
    Shared(&'a (dyn Any + Send + Sync)),
    /// A payload that is not `Sync` must not be looked at from another thread; this wrapper refuses that.
    Local(Fragile<&'a dyn Any>),
}

impl<'a> AnyEvent<'a> {
    pub(crate) fn of<E: Event>(event: &'a E) -> Self {
        let payload = match E::__share() {
            Some(sharing) => Payload::Shared((sharing.view)(event)),
            None => Payload::Local(Fragile::new(event)),
        };
        Self {
            ops: E::__ops(),
            payload,
        }
    }

    /// For who looks at the event where it is.
    pub(crate) fn local(ops: &'static EventOps, payload: &'a dyn Any) -> Self {
        Self {
            ops,
            payload: Payload::Local(Fragile::new(payload)),
        }
    }

    pub(crate) fn shared(ops: &'static EventOps, payload: &'a (dyn Any + Send + Sync)) -> Self {
        Self {
            ops,
            payload: Payload::Shared(payload),
        }
    }

    /// The event's topic.
    pub fn topic(&self) -> &'static str {
        (self.ops.info)().topic()
    }

    /// The event's version.
    pub fn version(&self) -> u32 {
        (self.ops.info)().version()
    }

    /// Whether the payload is an `E`.
    pub fn is<E: Event>(&self) -> bool {
        (self.ops.type_id)() == std::any::TypeId::of::<E>()
    }

    /// The payload, if it is an `E`.
    ///
    /// # Panics
    ///
    /// If the payload is not `Send + Sync` and this is another thread than the one that emitted it.
    pub fn downcast_ref<E: Event>(&self) -> Option<&'a E> {
        self.payload().downcast_ref()
    }

    /// The payload as JSON, for an event declared with `#[event(serde)]`.
    ///
    /// # Errors
    ///
    /// [`ToJsonError`](crate::ToJsonError) if the event is not declared `serde`, or its `Serialize` fails.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> Result<String, crate::ToJsonError> {
        crate::json::to_json(self.ops, self.payload())
    }

    fn payload(&self) -> &'a dyn Any {
        match &self.payload {
            Payload::Shared(payload) => *payload,
            Payload::Local(payload) => *payload.get(),
        }
    }
}

impl fmt::Debug for AnyEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyEvent({})", self.topic())
    }
}
