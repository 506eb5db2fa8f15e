//! What links do, as events for the bus.

use std::fmt;

use super::envelope::EventId;
use super::error::shown;
use crate::declared::declare;

/// A link is open: both sides have agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOpened {
    /// The name of the link here.
    pub link: String,
    /// The peer: its identity, or for the side that connects the name that it gave its link, shortened
    /// and with escapes for what is not to be printed.
    pub peer: String,
    /// How often this link was opened, this time included.
    pub times: u64,
    /// The topics that this side publishes or asks, and the peer neither hears nor answers. Events of them are not sent.
    pub unwanted: Vec<String>,
    /// The topics that this side hears or answers, and the peer neither publishes nor asks.
    pub unoffered: Vec<String>,
}

/// A link has lost its connection, or did not get one. The side that connects tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLost {
    /// The name of the link here.
    pub link: String,
    /// The peer, as in [`LinkOpened`]; empty if it has not shown who it is. What went wrong with one that came over TLS begins with its address then.
    pub peer: String,
    /// What went wrong.
    pub why: String,
}

impl fmt::Display for LinkLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link, peer, why } = self;
        write!(f, "the link `{link}` has no connection")?;
        if !peer.is_empty() {
            write!(f, " with {}", shown(peer))?;
        }
        write!(f, ": {why}")
    }
}

/// A link was closed: both sides have said goodbye. Where the peer is the one that wanted to, the side that connects tells [`LinkLost`] in its place, as it
/// tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkClosed {
    /// The name of the link here.
    pub link: String,
    /// The peer, as in [`LinkOpened`].
    pub peer: String,
}

/// An event came over a link and the bus did not take it. The peer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRefused {
    /// The name of the link here.
    pub link: String,
    /// The peer, as in [`LinkOpened`].
    pub peer: String,
    /// The topic of the event.
    pub topic: String,
    /// Its identity.
    pub id: EventId,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for EventRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            link, topic, why, ..
        } = self;
        let peer = shown(&self.peer);
        write!(
            f,
            "the link `{link}` did not take `{topic}` from {peer}: {why}"
        )
    }
}

/// A link beyond this machine without TLS, as [`insecure_plaintext`](crate::wire::Link::insecure_plaintext) allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaintextLink {
    /// The name of the link here.
    pub link: String,
    /// Where it listens, or connects to.
    pub address: String,
}

impl fmt::Display for PlaintextLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link, address } = self;
        write!(
            f,
            "the link `{link}` is not encrypted, and {address} is not this machine alone"
        )
    }
}

declare! {
    on buses {
        LinkOpened "transport.link_opened" "A link is open: both sides have agreed."
            ["link" "String", "peer" "String", "times" "u64", "unwanted" "Vec<String>", "unoffered" "Vec<String>"]
        LinkLost "transport.link_lost"
            "A link has lost its connection, or did not get one. The side that connects tries again."
            ["link" "String", "peer" "String", "why" "String"]
         LinkClosed "transport.link_closed" "A link was closed: both sides have said goodbye."
             ["link" "String", "peer" "String"]
        EventRefused "transport.link_refused"
            "An event came over a link and the bus did not take it. The peer is told."
            ["link" "String", "peer" "String", "topic" "String", "id" "EventId", "why" "String"]
        PlaintextLink "transport.link_plaintext"
            "A link beyond this machine without TLS, as `insecure_plaintext` allows it."
            ["link" "String", "address" "String"]
    }
    only protocols {}
}
