//! What travels with an event.

use std::fmt;
use std::time::SystemTime;

use event_core::EventInfo;
use serde::{Deserialize, Serialize};

/// The identity of one event on the wire: the same wherever the event goes, and however often it is sent.
///
/// ```
/// use event_transport::wire::EventId;
///
/// let id = EventId::new(0xfeed, 7);
///
/// assert_eq!(id.to_string(), "000000000000feed-7");
/// assert_eq!((id.origin(), id.number()), (0xfeed, 7));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId {
    origin: u64,
    number: u64,
}

impl EventId {
    /// The `number`th event that `origin` sent.
    #[must_use]
    pub fn new(origin: u64, number: u64) -> Self {
        Self { origin, number }
    }

    /// Where the event was first sent: a random number, new with every start of a program.
    pub fn origin(&self) -> u64 {
        self.origin
    }

    /// How many events the origin has sent, this one included.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.origin, self.number)
    }
}

/// What travels with an event beside its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// The event's identity: a duplicate has the same.
    pub id: EventId,
    /// When it was first sent, by the sender's clock, to the microsecond.
    pub time: SystemTime,
    /// The event's topic. What a listener of it emits has another one, and the same envelope.
    pub topic: &'static str,
    /// The version of the event, which both sides have agreed on.
    pub version: u32,
    /// How its payload was written: as the [codec](crate::wire::Codec::content_type) says, and a request as JSON.
    pub content_type: &'static str,
    /// The event that was being delivered when this one was emitted, if that came over a link too.
    pub cause: Option<EventId>,
    /// The first event of the chain of causes: the event itself if it has no cause.
    pub trace: EventId,
    /// How many relays it went through.
    pub hops: u8,
}

impl Envelope {
    /// Of an event that nothing on the wire has caused.
    #[must_use]
    pub fn new(
        id: EventId,
        time: SystemTime,
        event: &EventInfo,
        content_type: &'static str,
    ) -> Self {
        Self {
            id,
            time,
            topic: event.topic(),
            version: event.version(),
            content_type,
            cause: None,
            trace: id,
            hops: 0,
        }
    }

    /// The same for an event that was emitted while another one was delivered.
    #[must_use]
    pub fn caused_by(mut self, cause: &Envelope) -> Self {
        self.cause = Some(cause.id);
        self.trace = cause.trace;
        self
    }
}
