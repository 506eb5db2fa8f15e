//! What a server with TLS tells.

use std::error::Error;
use std::fmt;

use crate::connection::Connection;
use crate::declared::declare;
use crate::error::ConnectionError;

/// A connection that came in at a labelled server was not made, as its TLS handshake failed: a certificate is not accepted, the peer does not speak TLS or
/// says nothing. No protocol hears it. A server without a label, and one whose bus has no listener of it, tells the failure hook of its loop instead.
#[derive(Debug, Clone)]
pub struct HandshakeFailed {
    /// The facts of the connection.
    pub connection: Connection,
    /// Why it failed.
    pub error: ConnectionError,
}

declare! {
    on buses {
        HandshakeFailed "transport.handshake_failed"
            "The TLS handshake of a connection that came in at a labelled server has failed."
            ["connection" "Connection", "error" "ConnectionError"]
    }
    only protocols {}
}

/// What the loop's hook is told if no listener hears it.
#[derive(Debug)]
pub(crate) struct NotMade {
    /// The words for it, if it has an address.
    pub(crate) peer: String,
    pub(crate) error: ConnectionError,
}

impl fmt::Display for NotMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no TLS{}: {}", self.peer, self.error)
    }
}

impl Error for NotMade {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
