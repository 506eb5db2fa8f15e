//! TCP.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::eyeballs::{interleave, race};
use super::info::Info;
use super::io::{Acceptor, Binding, Dial, Dialing, Link, Listen, check_reactor, sealed};
use super::resolve::Hosts;
use crate::error::TransportError;

/// An address of TCP, for [`serve`](crate::serve) and [`connect`](crate::connect).
///
/// It is a name or a number with a port, such as `"localhost:80"`, one or several `SocketAddr`, or a pair of host and port. A server listens at every
/// address that a name stands for and that this machine has; a client tries one after the other.
pub fn tcp(address: impl Into<TcpAddress>) -> Tcp {
    Tcp {
        hosts: address.into().0,
        local: None,
        backlog: 1024,
        reuse_port: false,
        head_start: None,
    }
}

/// What [`tcp`] takes.
#[derive(Debug, Clone)]
pub struct TcpAddress(Hosts);

impl TcpAddress {
    pub(crate) fn into_hosts(self) -> Hosts {
        self.0
    }
}

impl From<&str> for TcpAddress {
    fn from(name: &str) -> Self {
        Self(Hosts::Name(name.to_owned()))
    }
}

impl From<String> for TcpAddress {
    fn from(name: String) -> Self {
        Self(Hosts::Name(name))
    }
}

impl From<(&str, u16)> for TcpAddress {
    fn from((host, port): (&str, u16)) -> Self {
        // An address of version 6 is the only host with a colon in it.
        let name = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        Self(Hosts::Name(name))
    }
}

impl From<SocketAddr> for TcpAddress {
    fn from(addr: SocketAddr) -> Self {
        Self(Hosts::Addrs(vec![addr]))
    }
}

impl From<Vec<SocketAddr>> for TcpAddress {
    fn from(addrs: Vec<SocketAddr>) -> Self {
        Self(Hosts::Addrs(addrs))
    }
}

impl From<&[SocketAddr]> for TcpAddress {
    fn from(addrs: &[SocketAddr]) -> Self {
        Self(Hosts::Addrs(addrs.to_vec()))
    }
}

/// See [`tcp`].
#[derive(Debug, Clone)]
pub struct Tcp {
    hosts: Hosts,
    local: Option<SocketAddr>,
    backlog: u32,
    reuse_port: bool,
    head_start: Option<Duration>,
}

impl Tcp {
    /// The own address of a connection that is made. A server does not look at it.
    #[must_use]
    pub fn local_addr(mut self, addr: SocketAddr) -> Self {
        self.local = Some(addr);
        self
    }

    /// How many connections may wait until a server accepts them; 1024 if nothing is said. A client does not look at it.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Lets several servers, in one or more processes, listen at the same address, among which the operating system shares the connections out. Where
    /// it cannot, listening is an error. A client does not look at it.
    #[must_use]
    pub fn reuse_port(mut self) -> Self {
        self.reuse_port = true;
        self
    }

    /// Tries the next address as well when one has not answered after `head_start`, and takes the connection that comes first: "happy eyeballs". Version 6
    /// and version 4 take turns, beginning with the version of the first address. RFC 8305 recommends 250 ms. Unless this is said each address is tried
    /// until the operating system gives it up, which may take minutes. A server does not look at it.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// use tidings::transport::{connect, tcp};
    /// # use tidings::{EventLoop, protocol};
    /// # #[derive(Default)]
    /// # struct Client;
    /// # #[protocol]
    /// # impl Client {}
    ///
    /// # async fn client(lp: &EventLoop) -> Result<(), Box<dyn std::error::Error>> {
    /// let to = tcp("example.org:80").happy_eyeballs(Duration::from_millis(250));
    /// let (transport, _) = connect::<Client>(lp, to).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn happy_eyeballs(mut self, head_start: Duration) -> Self {
        self.head_start = Some(head_start);
        self
    }

    async fn connect(&self, addr: SocketAddr) -> io::Result<Link> {
        let socket = socket(addr)?;
        if let Some(local) = self.local {
            socket.bind(local)?;
        }
        let link = link(socket.connect(addr).await?)?;
        #[cfg(feature = "tls")]
        let link = link.with_host(self.hosts.host(addr));
        Ok(link)
    }

    fn listen(&self, addr: SocketAddr) -> io::Result<TcpListener> {
        let socket = socket(addr)?;
        // Elsewhere the option lets two programs have one address.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        if self.reuse_port {
            share_port(&socket)?;
        }
        if addr.is_ipv6() {
            // Elsewise the address that stands for all of version 6 takes the port of version 4 as well, and where both are asked for one is in use.
            socket2::SockRef::from(&socket).set_only_v6(true)?;
        }
        socket.bind(addr)?;
        socket.listen(self.backlog)
    }
}

#[cfg(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
))]
fn share_port(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseport(true)
}

#[cfg(not(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
)))]
fn share_port(_: &TcpSocket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }
}

/// Whether this machine has no such address, as one without version 6 has no `::1`, for which `localhost` may stand.
fn is_of_no_interface(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    )
}

fn link(stream: TcpStream) -> io::Result<Link> {
    stream.set_nodelay(true)?;
    let info = Info {
        peer_addr: stream.peer_addr().ok(),
        local_addr: stream.local_addr().ok(),
        ..Info::default()
    };
    Ok(Link::new(stream, info, false))
}

impl Dial for Tcp {}

impl sealed::Dial for Tcp {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn dial(self) -> Dialing {
        Box::pin(async move {
            check_reactor("TCP")?;
            let addrs = self.hosts.clone().resolve().await?;
            if let Some(head_start) = self.head_start {
                let connect = |addr| self.connect(addr);
                let race = race(interleave(addrs), connect, || {
                    tokio::time::sleep(head_start)
                });
                return race.await.map_err(|errors| {
                    let named = errors
                        .into_iter()
                        .map(|(addr, error)| (addr.to_string(), error));
                    TransportError::connect(named.collect())
                });
            }
            let mut errors = Vec::new();
            for addr in addrs {
                match self.connect(addr).await {
                    Ok(link) => return Ok(link),
                    Err(error) => errors.push((addr.to_string(), error)),
                }
            }
            Err(TransportError::connect(errors))
        })
    }
}

impl Listen for Tcp {}

impl sealed::Listen for Tcp {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn bind(self) -> Binding {
        Box::pin(async move {
            check_reactor("TCP")?;
            let addrs = self.hosts.clone().resolve().await?;
            let mut acceptors: Vec<Box<dyn Acceptor>> = Vec::new();
            let mut missing = None;
            for addr in addrs {
                match self.listen(addr) {
                    Ok(listener) => acceptors.push(Box::new(listener)),
                    Err(error) => {
                        let is_missing = is_of_no_interface(&error);
                        let error = TransportError::bind(&addr.to_string(), error);
                        if !is_missing {
                            return Err(error);
                        }
                        missing.get_or_insert(error);
                    }
                }
            }
            if let Some(missing) = missing.filter(|_| acceptors.is_empty()) {
                return Err(missing);
            }
            Ok(acceptors)
        })
    }
}

impl Acceptor for TcpListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let (stream, _) = ready!(TcpListener::poll_accept(self, cx))?;
        // A peer that is gone already is no reason to accept no other.
        let aborted = |error| io::Error::new(io::ErrorKind::ConnectionAborted, error);
        Poll::Ready(link(stream).map_err(aborted))
    }

    fn info(&self) -> Info {
        Info {
            local_addr: self.local_addr().ok(),
            ..Info::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use event_runtime::event_loop::EventLoop;
    use std::net::{TcpListener, TcpStream};

    use super::link;

    #[test]
    fn ax23_bytes_are_sent_without_delay() {
        let lp = EventLoop::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        assert!(!stream.nodelay().unwrap());
        let same = stream.try_clone().unwrap();
        lp.run_until_complete(async {
            let link = link(tokio::net::TcpStream::from_std(same).unwrap()).unwrap();
            assert!(stream.nodelay().unwrap());
            drop(link);
        })
        .unwrap();
    }
}
