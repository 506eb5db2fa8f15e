//! What is known of a connection beside its bytes, found when it was made.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The facts, each if the kind of connection has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Info {
    pub(crate) peer_addr: Option<SocketAddr>,
    pub(crate) local_addr: Option<SocketAddr>,
    pub(crate) peer_path: Option<PathBuf>,
    pub(crate) local_path: Option<PathBuf>,
    #[cfg(unix)]
    pub(crate) credentials: Option<(u32, u32)>,
}

impl Info {
    pub(crate) fn peer_text(&self) -> Option<String> {
        text(self.peer_addr, self.peer_path.as_ref())
    }

    pub(crate) fn local_text(&self) -> Option<String> {
        text(self.local_addr, self.local_path.as_ref())
    }

    /// The fact with a name of asyncio's.
    pub(crate) fn by_name(&self, name: &str) -> Option<String> {
        match name {
            "peername" => self.peer_text(),
            "sockname" => self.local_text(),
            _ => None,
        }
    }
}

fn text(addr: Option<SocketAddr>, path: Option<&PathBuf>) -> Option<String> {
    let path = || path.map(|path| path.display().to_string());
    addr.map(|addr| addr.to_string()).or_else(path)
}

/// The name of a fact about a connection, with its type: see [`Transport::info`](crate::Transport::info).
pub struct InfoKey<T> {
    name: &'static str,
    get: fn(&Info) -> Option<T>,
}

impl<T> InfoKey<T> {
    pub(crate) fn get(&self, info: &Info) -> Option<T> {
        (self.get)(info)
    }
}

impl<T> Clone for InfoKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for InfoKey<T> {}

impl<T> fmt::Debug for InfoKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The peer's address, of a TCP connection.
pub const PEER_ADDR: InfoKey<SocketAddr> = InfoKey {
    name: "PEER_ADDR",
    get: |info| info.peer_addr,
};

/// Its own address, of a TCP connection.
pub const LOCAL_ADDR: InfoKey<SocketAddr> = InfoKey {
    name: "LOCAL_ADDR",
    get: |info| info.local_addr,
};

/// The path of the peer's socket, of a Unix connection whose peer has one: of a client, the server's.
pub const PEER_PATH: InfoKey<PathBuf> = InfoKey {
    name: "PEER_PATH",
    get: |info| info.peer_path.clone(),
};

/// The path of its own socket, of a Unix connection that has one: that of the server.
pub const LOCAL_PATH: InfoKey<PathBuf> = InfoKey {
    name: "LOCAL_PATH",
    get: |info| info.local_path.clone(),
};

/// The user and the group of the peer's process, of a Unix connection.
#[cfg(unix)]
pub const PEER_CREDENTIALS: InfoKey<(u32, u32)> = InfoKey {
    name: "PEER_CREDENTIALS",
    get: |info| info.credentials,
};
