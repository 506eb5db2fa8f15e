//! What ends a connection, and why.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::wire::access::{Identity, Right};
use crate::wire::proto::frame::{Kind, Refusal};
use crate::wire::shape::Offer;
use crate::words::debug_as_display;

/// The most characters of a peer's text that a message shows.
const SHOWN: usize = 200;

/// An event that two programs describe differently.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// What the peer does with the event.
    pub peer: Right,
    /// The event as it is declared here.
    pub here: Offer,
    /// The event as the peer declares it.
    pub there: Offer,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, here, there } = self;
        let (we, they) = match peer {
            Right::Publish => ("wanted", "published"),
            Right::Subscribe => ("published", "wanted"),
        };
        write!(
            f,
            "`{}` is {we} here as {here} and {they} by the peer as {there}",
            shown(&here.topic)
        )
    }
}

/// What ended a connection. What is wrong with one event or request alone does not: that is counted and reported, and the link goes on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// The peer speaks something else: its first bytes.
    NotAPeer(Vec<u8>),
    /// The peer speaks another version of the protocol.
    ProtocolVersion {
        /// The version here.
        ours: u8,
        /// The peer's.
        theirs: u8,
    },
    /// A frame of no bytes.
    EmptyFrame,
    /// A frame over the limit.
    FrameTooLong {
        /// The limit, in bytes.
        max: usize,
    },
    /// A frame of a kind that the protocol does not have.
    UnknownKind(u8),
    /// A frame that is not what its kind says.
    Malformed {
        /// Its kind.
        kind: Kind,
        /// What is wrong.
        why: String,
    },
    /// A frame that has no place where it came.
    Unexpected {
        /// Its kind.
        kind: Kind,
        /// Where it came.
        at: &'static str,
    },
    /// The peer did not finish its handshake.
    HandshakeTimeout(Duration),
    /// The peer was let in nowhere: it may do nothing here.
    UnknownIdentity(Identity),
    /// The peer says it is somebody, for whom there is no secret here.
    NoSecret(Identity),
    /// The peer says it is somebody, and does not have the secret.
    WrongSecret(Identity),
    /// The peer has shown nothing that says who it is.
    NoIdentity,
    /// The peer's certificate does not say who it is.
    Certificate(String),
    /// The peer's certificate and its secret are not of the same.
    TwoIdentities {
        /// Whose the certificate is.
        certificate: Identity,
        /// Whose the secret is.
        secret: Identity,
    },
    /// The peer would prove who it is, on a connection without TLS.
    ProofWithoutTls,
    /// The peer may not do what it came for.
    NotAllowed {
        /// The peer.
        identity: Identity,
        /// Each topic with the right that is missing.
        missing: Vec<(Right, String)>,
    },
    /// Events that the two sides describe differently.
    Mismatch(Vec<Mismatch>),
    /// The two sides write payloads in different forms.
    ContentType {
        /// The form here.
        ours: String,
        /// The peer's.
        theirs: String,
    },
    /// A list of topics that is none.
    BadTopic {
        /// The topic, shortened.
        topic: String,
        /// What is wrong with it.
        why: String,
    },
    /// The peer did not let this side in.
    Refused(Refusal),
    /// Not one whole frame came in this time.
    Idle(Duration),
    /// A frame that began was not whole within this time.
    SlowFrame(Duration),
    /// The peer did not take in this time what waited for it when it began.
    Stalled(Duration),
    /// The peer sent more than it was given credit for.
    CreditExceeded {
        /// What it could send, in bytes since the connection began.
        granted: u64,
        /// What it sent.
        taken: u64,
    },
    /// The peer gave a credit that is less than before, or more than anything.
    CreditOverflow {
        /// What it had given, in bytes since the connection began.
        before: u64,
        /// What it gave now.
        now: u64,
    },
    /// The peer acknowledged, or rejected, what was never sent.
    NeverSent {
        /// The number it named.
        sequence: u64,
        /// The last that was sent.
        last: u64,
    },
    /// The peer answered a request that was never made.
    UnaskedReply {
        /// The number it named.
        call: u64,
    },
    /// The server closes, and takes no new sessions.
    Closing,
    /// There is no place for one more session: all of the server have a connection, or all that one identity may have.
    Busy {
        /// How many there are.
        limit: usize,
    },
    /// The peer has more requests open than it may.
    TooManyRequests {
        /// How many it may have.
        limit: usize,
    },
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPeer(bytes) => not_a_peer(bytes, f),
            Self::ProtocolVersion { ours, theirs } => write!(
                f,
                "the peer speaks version {theirs} of the link protocol and this side version {ours}: build both with the same release"
            ),
            Self::EmptyFrame => f.write_str("the peer sent a frame of no bytes"),
            Self::FrameTooLong { max } => write!(
                f,
                "the peer began a frame of more than {max} bytes: raise `max_frame` (or `max_handshake`, for a frame before it is let in) in the limits of this side if that is meant"
            ),
            Self::UnknownKind(kind) => {
                write!(f, "the peer sent a frame of the unknown kind {kind}")
            }
            Self::Malformed { kind, why } => {
                write!(f, "the peer sent a {kind} frame that is none: {why}")
            }
            Self::Unexpected { kind, at } => write!(f, "the peer sent a {kind} frame {at}"),
            Self::HandshakeTimeout(time) => {
                write!(f, "the peer did not finish its handshake within {time:?}")
            }
            Self::UnknownIdentity(identity) => write!(
                f,
                "the peer is `{identity}`, which may do nothing here: grant it what it needs with `allow`"
            ),
            Self::NoSecret(claimed) => write!(
                f,
                "the peer says it is `{}`, for which there is no secret: `add` it to the secrets of this side if it is meant",
                shown(claimed.name())
            ),
            Self::WrongSecret(claimed) => write!(
                f,
                "the peer says it is `{}` and does not have its secret, or is somebody in between",
                shown(claimed.name())
            ),
            Self::NoIdentity => f.write_str(
                "the peer does not say who it is: give it a certificate, or an identity and its secret with `credentials`",
            ),
            Self::Certificate(why) => f.write_str(why),
            Self::TwoIdentities {
                certificate,
                secret,
            } => write!(
                f,
                "the peer has the certificate of `{certificate}` and the secret of `{secret}`: give it one of both, or both of one"
            ),
            Self::ProofWithoutTls => f.write_str(
                "the peer shows that it has a secret, which is of use inside TLS alone: listen with `listen_tls`",
            ),
            Self::NotAllowed { identity, missing } => not_allowed(identity, missing, f),
            Self::Mismatch(all) => {
                f.write_str("the two sides declare events differently")?;
                all.iter().try_for_each(|one| write!(f, "; {one}"))
            }
            Self::ContentType { ours, theirs } => write!(
                f,
                "payloads are `{ours}` here and `{}` at the peer: give both the same codec",
                shown(theirs)
            ),
            Self::BadTopic { topic, why } => {
                write!(f, "the peer names the topic `{}`: {why}", shown(topic))
            }
            Self::Refused(refusal) => write!(f, "the peer refused this side: {refusal}"),
            Self::Idle(time) => write!(f, "the peer sent no whole frame for {time:?}"),
            Self::SlowFrame(time) => write!(
                f,
                "the peer began a frame and did not finish it within {time:?}: raise `frame_within` in the limits of this side if that is meant"
            ),
            Self::Stalled(time) => write!(
                f,
                "the peer did not take within {time:?} what waited for it: raise `idle` in the limits of this side if it is slow, not gone"
            ),
            Self::CreditExceeded { granted, taken } => write!(
                f,
                "the peer sent {taken} bytes of events and had credit for {granted}"
            ),
            Self::CreditOverflow { before, now } => write!(
                f,
                "the peer gave credit for {now} bytes after it gave {before}"
            ),
            Self::NeverSent { sequence, last } => write!(
                f,
                "the peer acknowledged event {sequence} of this connection, and the last one sent is {last}"
            ),
            Self::UnaskedReply { call } => {
                write!(f, "the peer answered request {call}, which was never made")
            }
            Self::Closing => f.write_str("the server is closing: come again later"),
            Self::Busy { limit } => {
                write!(f, "there are {limit} sessions already: come again later")
            }
            Self::TooManyRequests { limit } => write!(
                f,
                "the peer has more than {limit} requests open: raise `requests` in the limits of this side if that is meant"
            ),
        }
    }
}

impl Error for WireError {}

debug_as_display!(WireError);

/// A text of the peer: bounded, and without what moves a cursor.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("..");
    }
    shown
}

fn not_a_peer(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the peer began with `{}`", bytes.escape_ascii())?;
    let known = match bytes {
        [0x16, 0x03, ..] => ", which is TLS: this side expects no TLS here",
        [0x15, 0x03, ..] => ", which is a TLS alert: this side speaks no TLS and the peer does",
        bytes if is_http(bytes) => ", which is HTTP: this is no web server",
        _ => ", which is not how a link begins: is the address right?",
    };
    f.write_str(known)
}

fn is_http(bytes: &[u8]) -> bool {
    [&b"GET "[..], b"POST", b"HEAD", b"PUT ", b"HTTP", b"PRI "]
        .iter()
        .any(|method| bytes.starts_with(method))
}

fn not_allowed(
    identity: &Identity,
    missing: &[(Right, String)],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "`{identity}` may not")?;
    for (index, (right, topic)) in missing.iter().enumerate() {
        let or = if index == 0 { "" } else { ", or" };
        write!(f, "{or} {right} `{}`", shown(topic))?;
    }
    f.write_str(": grant it with `allow` at the accepting side, or ask for less")
}
