//! Why a datagram was not sent.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::addr::DatagramAddr;

/// Why an endpoint did not take a datagram. What the operating system says of one that it took comes as [`ErrorReceived`](crate::ErrorReceived).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The endpoint is closing or lost.
    Closed,
    /// The endpoint is not connected, so a datagram needs an address.
    NoAddress,
    /// The endpoint is connected to `peer` and sends to nobody else.
    NotThePeer {
        /// Where it is connected to.
        peer: DatagramAddr,
        /// Where the datagram was to go.
        to: DatagramAddr,
    },
    /// The endpoint cannot send to an address of this kind.
    WrongAddress(DatagramAddr),
    /// No datagram can be so large.
    TooLarge {
        /// How many bytes it has.
        size: usize,
        /// How many bytes a datagram of this endpoint has at most.
        limit: usize,
    },
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the endpoint is closing or lost"),
            Self::NoAddress => f.write_str(
                "the endpoint is not connected: say where to with `send_to(data, addr)`, or open it with `.connected(addr)`",
            ),
            Self::NotThePeer { peer, to } => write!(
                f,
                "the endpoint is connected to {peer} and cannot send to {to}: open another one that is not connected"
            ),
            Self::WrongAddress(DatagramAddr::Ip(to)) => write!(
                f,
                "an endpoint at an address of version 4 cannot send to {to}: open one at such of version 6, like `udp(\"[::]:0\")`"
            ),
            Self::WrongAddress(to) => write!(f, "an endpoint of this kind cannot send to {to}"),
            Self::TooLarge { size, limit } => write!(
                f,
                "a datagram of {size} bytes is too large: this endpoint sends at most {limit}"
            ),
        }
    }
}

crate::words::debug_as_display!(SendError);

impl Error for SendError {}

/// What the operating system says of a datagram, with what was to be sent.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) size: usize,
    pub(super) to: Option<DatagramAddr>,
    pub(super) error: io::Error,
}

impl Unsent {
    pub(super) fn into_io(self) -> io::Error {
        io::Error::new(self.error.kind(), self)
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a datagram of {} bytes", self.size)?;
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        write!(f, " was not sent: {}", self.error)?;
        let is_v4 = matches!(self.to, Some(DatagramAddr::Ip(SocketAddr::V4(_))));
        if is_v4 && self.error.kind() == io::ErrorKind::PermissionDenied {
            f.write_str("; to send to a broadcast address open it with `.allow_broadcast()`")?;
        }
        Ok(())
    }
}

impl Error for Unsent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
