//! Where datagrams come from and go to.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The address of a datagram endpoint.
///
/// ```
/// use tidings::transport::DatagramAddr;
///
/// # use std::net::SocketAddr;
/// let dns = SocketAddr::from(([127, 0, 0, 1], 53));
/// assert_eq!(DatagramAddr::from(dns).to_string(), "127.0.0.1:53");
/// assert_eq!(DatagramAddr::from(dns).ip(), Some(dns));
/// assert_eq!(DatagramAddr::from(dns).path(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatagramAddr {
    /// An address and a port of UDP.
    Ip(SocketAddr),
    /// The path of a Unix socket.
    Path(PathBuf),
    /// The endpoint has no address: a Unix socket without a path, or the other end of a pair. Nothing can be sent to it by its address.
    Unnamed,
}

impl DatagramAddr {
    /// The address and port, of UDP.
    pub fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(addr) => Some(*addr),
            _ => None,
        }
    }

    /// The path, of a Unix socket that has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }
}

impl From<SocketAddr> for DatagramAddr {
    fn from(addr: SocketAddr) -> Self {
        Self::Ip(addr)
    }
}

impl From<&SocketAddr> for DatagramAddr {
    fn from(addr: &SocketAddr) -> Self {
        Self::Ip(*addr)
    }
}

impl From<&Self> for DatagramAddr {
    fn from(addr: &Self) -> Self {
        addr.clone()
    }
}

impl From<&PathBuf> for DatagramAddr {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

impl From<PathBuf> for DatagramAddr {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&Path> for DatagramAddr {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl fmt::Display for DatagramAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            Self::Path(path) => path.display().fmt(f),
            Self::Unnamed => f.write_str("an endpoint without an address"),
        }
    }
}
