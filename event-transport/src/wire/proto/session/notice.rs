//! What a session has to say to its bus.

use std::time::Duration;

use bytes::Bytes;

use crate::wire::envelope::EventId;
use crate::wire::proto::frame::{Fault, Meta, Rejection};
use crate::wire::proto::terms::Terms;

/// What a peer's frame means for this side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Both sides have agreed.
    Opened {
        /// The name of the link at the peer.
        peer: String,
        terms: Terms,
    },
    /// An event for the bus; it is settled by its session and sequence.
    Event(Arrival),
    /// A request for the bus, which is answered by its ticket within the time.
    Request {
        ticket: u64,
        want: usize,
        meta: Meta,
        within: Option<Duration>,
        payload: Bytes,
    },
    /// The answer to a request of this side.
    Reply {
        call: u64,
        answer: Result<Bytes, Fault>,
    },
    /// The peer has done with all events of this side up to a number.
    Acknowledged { upto: u64 },
    /// The peer did not take an event of this side.
    Rejected {
        sequence: u64,
        offer: usize,
        id: EventId,
        why: Rejection,
    },
    /// An event of this side was not sent: the peer does not want its topic.
    Unwanted {
        sequence: u64,
        offer: usize,
        id: EventId,
    },
    /// An event of this side was not sent: it is longer than the peer takes.
    TooLong {
        sequence: u64,
        offer: usize,
        id: EventId,
    },
    /// The peer sends nothing more.
    Leaving,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub session: u64,
    pub sequence: u64,
    /// The place of its topic in the wants of this side.
    pub want: usize,
    pub meta: Meta,
    pub payload: Bytes,
}
