//! What is told of a connection to everybody.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stream::{Info, InfoKey};

/// Who began a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// The peer did: a server of ours accepted it.
    Server,
    /// We did.
    Client,
}

/// The facts of one connection, which stay when it is lost. A clone is a cheap handle for any thread.
///
/// It is what listeners on a bus are told; only the protocol of the connection has its [`Transport`](crate::Transport).
#[derive(Clone)]
pub struct Connection(Arc<Facts>);

struct Facts {
    id: u64,
    label: Option<Arc<str>>,
    side: Side,
    info: Info,
}

impl Connection {
    pub(crate) fn new(label: Option<Arc<str>>, side: Side, info: Info) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Self(Arc::new(Facts {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            label,
            side,
            info,
        }))
    }

    pub(crate) fn facts(&self) -> &Info {
        &self.0.info
    }

    /// Its number, which no other connection of the program has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The label of the server or of the client; empty without one.
    pub fn label(&self) -> &str {
        self.0.label.as_deref().unwrap_or_default()
    }

    pub(crate) fn is_labelled(&self) -> bool {
        self.0.label.is_some()
    }

    /// Who began it.
    pub fn side(&self) -> Side {
        self.0.side
    }

    /// The peer's address, if it has one.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.info.peer_addr
    }

    /// Its own address, if it has one.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.0.info.local_addr
    }

    /// A fact about it, as [`Transport::info`](crate::Transport::info) tells the protocol; `None` if this kind of connection has none.
    pub fn info<T>(&self, key: InfoKey<T>) -> Option<T> {
        key.get(&self.0.info)
    }

    /// The number of the child process that it is, if it is one.
    pub fn pid(&self) -> Option<u32> {
        self.0.info.pid
    }

    /// The path of the peer's Unix socket, if it has one.
    pub fn peer_path(&self) -> Option<&Path> {
        self.0.info.peer_path.as_deref()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id())
            .field("label", &self.label())
            .field("side", &self.side())
            .field("peer", &self.0.info.peer_text())
            .finish()
    }
}
