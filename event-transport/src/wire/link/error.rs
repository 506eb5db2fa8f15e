//! Why a link is not made, and why it has no connection.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::error::WireError;

/// A link that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkSetupError {
    /// No event that is declared `serde` has a topic that the pattern matches.
    NothingMatches(String),
    /// The event is not declared `serde`.
    NotSerde(String),
    /// The event is a request.
    IsRequest(String),
    /// The event is not `Send + Sync`, so no queue can hold it.
    NotSend(String),
    /// There is no tokio runtime here.
    NoTokio,
    /// Plain TCP beyond this machine.
    Plaintext {
        /// The address.
        address: SocketAddr,
    },
}

impl fmt::Display for LinkSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingMatches(pattern) => write!(
                f,
                "no event of the program that is declared `#[event(serde)]` has a topic like `{pattern}`"
            ),
            Self::NotSerde(topic) => write!(
                f,
                "the event `{topic}` cannot cross a link: declare it `#[event(serde)]`"
            ),
            Self::IsRequest(topic) => write!(
                f,
                "`{topic}` is a request: write `.asks::<Type>()` where it is asked and `.answers::<Type>()` where it is answered"
            ),
            Self::NotSend(topic) => write!(
                f,
                "the event `{topic}` cannot wait in the queue of a link: its fields are not `Send + Sync`"
            ),
            Self::NoTokio => {
                f.write_str("a link runs on tokio: make it in a task, or after `Runtime::enter`")
            }
            Self::Plaintext { address } => write!(
                f,
                "{address} is not on this machine, and the link is not encrypted: use TLS, or allow it with `insecure_plaintext`"
            ),
        }
    }
}

impl Error for LinkSetupError {}

/// Why a link has no connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer broke the protocol, or does not agree with this side.
    Wire(WireError),
    /// The stream failed, or could not be opened.
    Io(Arc<io::Error>),
    /// The peer closed the connection without a goodbye.
    Closed,
    /// The peer said goodbye.
    Left,
    /// The peer made a new connection for the same session.
    Replaced,
    /// The peer did not take all in this time.
    TimedOut(Duration),
    /// Code of this side panicked, such as what opens the stream.
    Panicked(String),
    /// The bus is gone, or shut down.
    NoBus,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(error) => fmt::Display::fmt(error, f),
            Self::Io(error) => fmt::Display::fmt(error, f),
            Self::Closed => f.write_str("the peer closed the connection without a goodbye"),
            Self::Left => f.write_str("the peer said goodbye"),
            Self::Replaced => f.write_str("the peer made a new connection"),
            Self::TimedOut(time) => write!(
                f,
                "the peer did not acknowledge everything within {time:?}: what is left is reported by the queues"
            ),
            Self::Panicked(message) => {
                write!(f, "the code of this side panicked: {message}")
            }
            Self::NoBus => f.write_str("the bus of this side is shut down"),
        }
    }
}

impl Error for LinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Wire(error) => error.source(),
            Self::Io(error) => error.source(),
            _ => None,
        }
    }
}

impl From<WireError> for LinkError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}
