//! Why a link is not made, and why it has no connection.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::error::WireError;
use crate::words::debug_as_display;

/// A link that cannot be made.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkSetupError {
    /// The link of this name publishes, hears, asks and answers nothing.
    Empty(String),
    /// No event that is declared `serde` has a topic that the pattern matches.
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// The topics that are like it, as a question; empty if there are none.
        hint: String,
    },
    /// The event is not declared `serde`.
    NotSerde(String),
    /// The event is a request.
    IsRequest(String),
    /// The event is not `Send + Sync`, so no queue can hold it.
    NotSend(String),
    /// There is no tokio runtime here.
    NoTokio,
    /// The address has no port, or its name cannot be that of a server's certificate.
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is a secret, and no TLS inside which it could be proven.
    SecretWithoutTls,
    /// Plain TCP beyond this machine.
    Plaintext {
        /// The address.
        address: SocketAddr,
    },
    /// All of these.
    Several(Vec<LinkSetupError>),
}

impl LinkSetupError {
    /// An error, if there is any.
    pub(super) fn check(mut all: Vec<Self>) -> Result<(), Self> {
        match all.len() {
            0 => Ok(()),
            1 => Err(all.remove(0)),
            _ => Err(Self::Several(all)),
        }
    }
}

impl fmt::Display for LinkSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(link) => write!(
                f,
                "the link `{link}` carries nothing: write `.publish(\"topic.*\")`, `.subscribe(\"topic.*\")`, `.asks::<Type>()` or `.answers::<Type>()`"
            ),
            Self::NothingMatches { pattern, hint } => write!(
                f,
                "no event of the program that is declared `#[event(serde)]` has a topic like `{pattern}`{hint}"
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
            Self::Address { address, why } => write!(f, "the address `{address}`: {why}"),
            Self::SecretWithoutTls => f.write_str(
                "a secret is proven inside TLS alone: connect with `connect_tls`, or leave out `credentials`",
            ),
            Self::Plaintext { address } => write!(
                f,
                "{address} is not on this machine, and the link is not encrypted: use TLS, or allow it with `insecure_plaintext`"
            ),
            Self::Several(all) => {
                write!(f, "the link cannot be made: {} problems", all.len())?;
                all.iter().try_for_each(|one| write!(f, "\n  {one}"))
            }
        }
    }
}

impl Error for LinkSetupError {}

debug_as_display!(LinkSetupError, LinkError);

/// Why a link has no connection.
#[derive(Clone)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer broke the protocol, or does not agree with this side.
    Wire(WireError),
    /// There is no connection to the address.
    Connect {
        /// The address.
        address: String,
        /// What went wrong there.
        error: Arc<io::Error>,
    },
    /// The stream failed, or could not be opened.
    Io(Arc<io::Error>),
    /// The peer and this side did not come to terms about TLS.
    Tls(Arc<io::Error>),
    /// The peer closed the connection without a goodbye.
    Closed,
    /// The peer said goodbye.
    Left,
    /// The peer made a new connection for the same session.
    Replaced,
    /// The peer did not take all in time.
    TimedOut {
        /// The time that it was given.
        deadline: Duration,
        /// Why there was no connection at the end of it, if there was none.
        last: Option<Box<LinkError>>,
    },
    /// Code of this side panicked, such as what opens the stream.
    Panicked(String),
    /// The bus is gone, or shut down.
    NoBus,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(error) => fmt::Display::fmt(error, f),
            Self::Connect { address, error } => {
                write!(f, "cannot connect to {address}: {error}")
            }
            Self::Io(error) => fmt::Display::fmt(error, f),
            Self::Tls(error) => tls_failed(error, f),
            Self::Closed => f.write_str("the peer closed the connection without a goodbye"),
            Self::Left => f.write_str("the peer said goodbye"),
            Self::Replaced => f.write_str("the peer made a new connection"),
            Self::TimedOut { deadline, last } => {
                write!(
                    f,
                    "the peer did not acknowledge everything within {deadline:?}"
                )?;
                if let Some(last) = last {
                    write!(f, ", and there is no connection ({last})")?;
                }
                f.write_str(": what is left is reported by the queues")
            }
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
            Self::Io(error) | Self::Tls(error) | Self::Connect { error, .. } => error.source(),
            _ => None,
        }
    }
}

impl LinkError {
    pub(super) fn connect(address: impl fmt::Display, error: io::Error) -> Self {
        Self::Connect {
            address: address.to_string(),
            error: Arc::new(error),
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
        match error.kind() {
            // TLS says so of a stream that ends without a goodbye of its own.
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ if is_of_tls(&error) => Self::Tls(Arc::new(error)),
            _ => Self::Io(Arc::new(error)),
        }
    }
}

#[cfg(feature = "tls")]
fn of_tls(error: &io::Error) -> Option<&tokio_rustls::rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(feature = "tls")]
fn is_of_tls(error: &io::Error) -> bool {
    of_tls(error).is_some()
}

#[cfg(not(feature = "tls"))]
fn is_of_tls(_: &io::Error) -> bool {
    false
}

#[cfg(feature = "tls")]
fn tls_failed(error: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use tokio_rustls::rustls::{AlertDescription, Error};
    match of_tls(error) {
        Some(Error::InvalidMessage(_)) => f.write_str(
            "the peer speaks no TLS: both sides of a link do, or none does",
        ),
        Some(Error::NoCertificatesPresented) => {
            f.write_str("the peer showed no certificate, and this side wants one")
        }
        Some(Error::AlertReceived(AlertDescription::CertificateRequired)) => f.write_str(
            "the peer wants a certificate: give the `TlsClient` one with `certificate(chain, private_key)`",
        ),
        _ => write!(f, "TLS failed: {error}"),
    }
}

#[cfg(not(feature = "tls"))]
fn tls_failed(error: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "TLS failed: {error}")
}
