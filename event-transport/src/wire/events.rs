//! What links do, as events for the bus.

use super::envelope::EventId;
use crate::declared::declare;

/// A link is open: both sides have agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOpened {
    /// The name of the link here.
    pub link: String,
    /// The peer: its identity, or for the side that connects the name that it gave its link.
    pub peer: String,
    /// How often this link was opened, this time included.
    pub times: u64,
}

/// A link has lost its connection, or did not get one. The side that connects tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLost {
    /// The name of the link here.
    pub link: String,
    /// The peer, as in [`LinkOpened`]; empty if it never said who it is.
    pub peer: String,
    /// What went wrong.
    pub why: String,
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

/// A link beyond this machine without TLS, as [`insecure_plaintext`](crate::wire::Link::insecure_plaintext) allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaintextLink {
    /// The name of the link here.
    pub link: String,
    /// Where it listens, or connects to.
    pub address: String,
}

declare! {
    on buses {
        LinkOpened "transport.link_opened" "A link is open: both sides have agreed."
            ["link" "String", "peer" "String", "times" "u64"]
        LinkLost "transport.link_lost"
            "A link has lost its connection, or did not get one. The side that connects tries again."
            ["link" "String", "peer" "String", "why" "String"] => Warn
        EventRefused "transport.link_refused"
            "An event came over a link and the bus did not take it. The peer is told."
            ["link" "String", "peer" "String", "topic" "String", "id" "EventId", "why" "String"] => Warn
        PlaintextLink "transport.link_plaintext"
            "A link beyond this machine without TLS, as `insecure_plaintext` allows it."
            ["link" "String", "address" "String"] => Warn
    }
    only protocols {}
}
