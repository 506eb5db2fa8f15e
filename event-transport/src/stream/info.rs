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
    /// The name in the address that was connected to.
    #[cfg(feature = "tls")]
    pub(crate) host: Option<String>,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::tls::TlsSlot,
    /// If it is one end of a pipe.
    pub(crate) pipe: Option<Pipe>,
    /// The number of the process at its other end.
    pub(crate) pid: Option<u32>,
}

/// One end of a pipe.
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no pipes so far"))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipe {
    /// The number of its descriptor.
    pub(crate) fd: i32,
    pub(crate) direction: Direction,
}

/// Where bytes go on a connection.
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no pipes so far"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Direction {
    #[default]
    Both,
    In,
    Out,
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
            "pipe" => self.pipe.map(|pipe| pipe.fd.to_string()),
            "subprocess" => self.pid.map(|pid| pid.to_string()),
            #[cfg(feature = "tls")]
            name => self.tls.get()?.by_name(name),
            #[cfg(not(feature = "tls"))]
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
    get: Get<T>,
}

enum Get<T> {
    OfStream(fn(&Info) -> Option<T>),
    #[cfg(feature = "tls")]
    OfTls(fn(&crate::tls::TlsFacts) -> Option<T>),
}

impl<T> Clone for Get<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Get<T> {}

impl<T> InfoKey<T> {
    pub(crate) fn get(&self, info: &Info) -> Option<T> {
        match self.get {
            Get::OfStream(get) => get(info),
            #[cfg(feature = "tls")]
            Get::OfTls(get) => get(&*info.tls.get()?),
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) const fn of_tls(
        name: &'static str,
        get: fn(&crate::tls::TlsFacts) -> Option<T>,
    ) -> Self {
        let get = Get::OfTls(get);
        Self { name, get }
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

/// The peer's address, of a TCP connection and of a connected UDP endpoint.
pub const PEER_ADDR: InfoKey<SocketAddr> = InfoKey {
    name: "PEER_ADDR",
    get: Get::OfStream(|info| info.peer_addr),
};

/// Its own address, of a TCP connection and of a UDP endpoint.
pub const LOCAL_ADDR: InfoKey<SocketAddr> = InfoKey {
    name: "LOCAL_ADDR",
    get: Get::OfStream(|info| info.local_addr),
};

/// The path of the peer's socket, of a Unix connection whose peer has one: of a client, the server's. Also of a connected Unix datagram endpoint.
pub const PEER_PATH: InfoKey<PathBuf> = InfoKey {
    name: "PEER_PATH",
    get: Get::OfStream(|info| info.peer_path.clone()),
};

/// The path of its own socket, of a Unix connection that has one: that of the server. Also of a Unix datagram endpoint with a path.
pub const LOCAL_PATH: InfoKey<PathBuf> = InfoKey {
    name: "LOCAL_PATH",
    get: Get::OfStream(|info| info.local_path.clone()),
};

/// The user and the group of the peer's process, of a Unix connection.
#[cfg(unix)]
pub const PEER_CREDENTIALS: InfoKey<(u32, u32)> = InfoKey {
    name: "PEER_CREDENTIALS",
    get: Get::OfStream(|info| info.credentials),
};

/// The number that the file descriptor of a pipe's end has, or had, for this program.
#[cfg(unix)]
pub const PIPE: InfoKey<i32> = InfoKey {
    name: "PIPE",
    get: Get::OfStream(|info| info.pipe.map(|pipe| pipe.fd)),
};

/// The number of a child process: of its transport, and of those of its pipes.
#[cfg(unix)]
pub const PID: InfoKey<u32> = InfoKey {
    name: "PID",
    get: Get::OfStream(|info| info.pid),
};
