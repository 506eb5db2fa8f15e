//! What is in a frame: a length, a head, and for some kinds a payload that takes the rest.

use std::fmt;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use crate::wire::access::{Identity, Right};
use crate::wire::envelope::EventId;
use crate::wire::error::{Mismatch, WireError, shown};
use crate::wire::limits::COST;
use crate::wire::shape::Offer;

/// The head of a frame. The order of the variants is their number on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Head {
    Hello(Box<Hello>),
    Welcome(Box<Hello>),
    Refuse(Box<Refusal>),
    Event(EventHead),
    /// Every event up to this number is with the bus, or was rejected.
    Ack {
        upto: u64,
    },
    /// An event that the bus did not take, and will not.
    Reject {
        sequence: u64,
        why: Rejection,
    },
    Request(RequestHead),
    Reply {
        call: u64,
    },
    Fault {
        call: u64,
        fault: Fault,
    },
    /// The bytes of events and requests that may be sent since the connection began.
    Credit {
        upto: u64,
    },
    Ping(u64),
    Pong(u64),
    /// Nothing more is sent by this side, and all that it sent is acknowledged.
    Goodbye,
    /// Nobody waits for the answer to a request any more.
    GiveUp {
        call: u64,
    },
}

/// What kind of frame it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Who connects, and what for.
    Hello,
    /// That the peer is let in.
    Welcome,
    /// That the peer is not let in.
    Refuse,
    /// An event.
    Event,
    /// That events arrived.
    Ack,
    /// That an event was not taken.
    Reject,
    /// A request.
    Request,
    /// The answer to a request.
    Reply,
    /// That a request has no answer.
    Fault,
    /// How much more may be sent.
    Credit,
    /// That a side is there.
    Ping,
    /// The answer to that.
    Pong,
    /// That a side leaves.
    Goodbye,
    /// That nobody waits for the answer to a request any more.
    GiveUp,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::Hello,
        Self::Welcome,
        Self::Refuse,
        Self::Event,
        Self::Ack,
        Self::Reject,
        Self::Request,
        Self::Reply,
        Self::Fault,
        Self::Credit,
        Self::Ping,
        Self::Pong,
        Self::Goodbye,
        Self::GiveUp,
    ];

    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Whether bytes may follow the head.
    pub fn has_payload(self) -> bool {
        matches!(self, Self::Event | Self::Request | Self::Reply)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What both sides say of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The name of the link, for people.
    pub link: String,
    /// The sender's session: its sequence numbers go on across connections.
    pub session: u64,
    /// What the sender's events have in their ids: a random number, new with every start of its program.
    pub origin: u64,
    /// Who it says it is and what proves that, where the stream does not.
    pub proof: Option<Proof>,
    pub content_type: String,
    pub offers: Vec<Offer>,
    pub wants: Vec<Offer>,
    pub max_frame: u32,
    /// The first credit, in bytes.
    pub receive: u64,
    pub requests: u32,
    /// How often this side wants to hear of the other.
    pub heartbeat_ms: u32,
    /// The last event that it has of the peer's session, and which session that was.
    pub seen: Option<Seen>,
}

/// What shows that a peer has the secret of an identity, on this connection alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub identity: String,
    pub tag: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub session: u64,
    pub upto: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHead {
    pub sequence: u64,
    /// The place of its topic in the sender's offers.
    pub offer: u32,
    pub meta: Meta,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    pub call: u64,
    pub offer: u32,
    /// How long the answer is waited for; 0 without end.
    pub within_ms: u32,
    pub meta: Meta,
}

/// An envelope without what the handshake said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub id: EventId,
    /// Since 1970.
    pub micros: u64,
    pub cause: Option<EventId>,
    /// The event itself, if it is not there.
    pub trace: Option<EventId>,
    pub hops: u8,
}

/// Why a peer did not take an event that it could have wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rejection {
    /// The handshake agreed on no such topic.
    NotAgreed,
    /// The payload does not fit.
    Payload(String),
    /// The bus took it in, and a queue or the bus itself said no.
    Bus(String),
    /// It went through too many relays, or through this one before.
    Loop,
}

impl Rejection {
    /// Bounded: a reader's words may contain the payload.
    #[must_use]
    pub fn shortened(self) -> Self {
        match self {
            Self::Payload(why) => Self::Payload(shown(&why)),
            Self::Bus(why) => Self::Bus(shown(&why)),
            other => other,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAgreed => f.write_str("the handshake agreed on no such topic"),
            Self::Payload(why) => write!(f, "the payload does not fit: {}", shown(why)),
            Self::Bus(why) => write!(f, "the bus did not take it: {}", shown(why)),
            Self::Loop => {
                f.write_str("it went through too many relays, or through this one before")
            }
        }
    }
}

/// Why a request that crossed a link has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Fault {
    /// The handshake agreed on no such topic.
    NotAgreed,
    /// Nobody answers it there.
    NoListener,
    /// The payload does not fit.
    Payload(String),
    /// The one that answers failed.
    Failed(String),
    /// The answer did not come in time.
    TimedOut,
    /// The connection was lost before the answer came; whether the request was carried out is not known.
    Lost,
    /// It is longer than the peer takes.
    TooLong,
    /// As many requests are open as may be.
    TooMany,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAgreed => f.write_str("the handshake agreed on no such topic"),
            Self::NoListener => f.write_str("nobody answers it at the peer"),
            Self::Payload(why) => write!(f, "the payload does not fit: {}", shown(why)),
            Self::Failed(why) => write!(f, "the listener that answers failed: {}", shown(why)),
            Self::TimedOut => f.write_str("the answer did not come in time"),
            Self::Lost => f.write_str("the connection was lost before the answer came"),
            Self::TooLong => f.write_str("it is longer than the other side takes"),
            Self::TooMany => f.write_str("as many requests are open as the link allows"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why a peer was not let in, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// It may do nothing.
    Identity(String),
    /// It may not do all that it came for.
    NotAllowed(String, Vec<(Right, String)>),
    /// Events that are declared differently, as the refusing side has them; the right is of the one that is refused.
    Mismatch(Vec<(Right, Offer)>),
    /// For another reason.
    Other(String),
    /// It has not shown who it is. What was wrong is for the refusing side to know.
    Unproven,
}

impl Refusal {
    /// What the peer may know of an error here.
    pub fn of(error: &WireError) -> Self {
        match error {
            WireError::UnknownIdentity(identity) => Self::Identity(identity.name().to_owned()),
            WireError::NotAllowed { identity, missing } => {
                Self::NotAllowed(identity.name().to_owned(), missing.clone())
            }
            WireError::Mismatch(all) => {
                let own = |one: &Mismatch| (one.peer, one.here.clone());
                Self::Mismatch(all.iter().map(own).collect())
            }
            WireError::NoSecret(_)
            | WireError::WrongSecret(_)
            | WireError::NoIdentity
            | WireError::Certificate(_)
            | WireError::TwoIdentities { .. } => Self::Unproven,
            other => Self::Other(other.to_string()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(name) => {
                let identity = Identity::new(shown(name));
                WireError::UnknownIdentity(identity).fmt(f)
            }
            Self::NotAllowed(name, missing) => WireError::NotAllowed {
                identity: Identity::new(shown(name)),
                missing: missing.clone(),
            }
            .fmt(f),
            Self::Mismatch(all) => {
                f.write_str("the two sides declare events differently")?;
                all.iter().try_for_each(|(right, there)| {
                    let topic = shown(&there.topic);
                    write!(
                        f,
                        "; `{topic}`, which this side may {right}, is {there} there"
                    )
                })
            }
            Self::Unproven => f.write_str(
                "it does not know this side: it wants a certificate that it trusts, or an identity and its secret; its own report says which was wrong",
            ),
            Self::Other(why) => f.write_str(&shown(why)),
        }
    }
}

impl Head {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Welcome(_) => Kind::Welcome,
            Self::Refuse(_) => Kind::Refuse,
            Self::Event(_) => Kind::Event,
            Self::Ack { .. } => Kind::Ack,
            Self::Reject { .. } => Kind::Reject,
            Self::Request(_) => Kind::Request,
            Self::Reply { .. } => Kind::Reply,
            Self::Fault { .. } => Kind::Fault,
            Self::Credit { .. } => Kind::Credit,
            Self::Ping(_) => Kind::Ping,
            Self::Pong(_) => Kind::Pong,
            Self::Goodbye => Kind::Goodbye,
            Self::GiveUp { .. } => Kind::GiveUp,
        }
    }

    /// Adds the frame to `out`. The length is put in front when it is known, so that nothing is copied twice.
    ///
    /// # Panics
    ///
    /// If the frame has 4 GiB, which every limit is below.
    pub fn write(&self, payload: &[u8], out: &mut BytesMut) {
        let start = out.len();
        out.put_u32(0);
        let mut short = [0; COST];
        if let Ok(head) = postcard::to_slice(self, &mut short) {
            out.put_slice(head);
        } else {
            // No type of a head has what postcard cannot write.
            let head = postcard::to_allocvec(self).expect("a head is writable");
            out.put_slice(&head);
        }
        out.put_slice(payload);
        let length = u32::try_from(out.len() - start - 4).expect("a frame is within its limit");
        (&mut out[start..start + 4]).put_u32(length);
    }
}
