//! UDP.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;

use super::addr::DatagramAddr;
use super::socket::{Datagrams, Link, Opening, Socket, sealed};
use crate::error::TransportError;
use crate::stream::{Hosts, Info, TcpAddress, check_reactor};

/// An address of UDP, for [`endpoint`](crate::endpoint): its own, at which it receives.
///
/// It is a name or a number with a port, such as `"0.0.0.0:53"`, a `SocketAddr`, or a pair of host and port. Port 0 is any that is free. Of several
/// addresses that a name stands for, the first one that can be had is taken.
///
/// ```
/// use tidings::transport::{LOCAL_ADDR, SendError, endpoint, udp};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Silent;
///
/// #[protocol]
/// impl Silent {}
///
/// let lp = EventLoop::new()?;
/// lp.run_until_complete(async {
///     let (t, _) = endpoint::<Silent>(&lp, udp(("127.0.0.1", 0))).await?;
///     let own = t.info(LOCAL_ADDR).expect("an endpoint of UDP has an address");
///     assert_eq!(t.send("to whom?"), Err(SendError::NoAddress));
///     t.send_to("to myself", own)?;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn udp(address: impl Into<UdpAddress>) -> Udp {
    Udp {
        own: address.into().0,
        peer: None,
        may_broadcast: false,
        reuse_port: false,
        groups: Vec::new(),
    }
}

/// What [`udp`] takes: the same as [`tcp`](crate::tcp).
#[derive(Debug, Clone)]
pub struct UdpAddress(Hosts);

impl<A: Into<TcpAddress>> From<A> for UdpAddress {
    fn from(address: A) -> Self {
        Self(address.into().into_hosts())
    }
}

/// See [`udp`].
#[derive(Debug, Clone)]
pub struct Udp {
    own: Hosts,
    peer: Option<Hosts>,
    may_broadcast: bool,
    reuse_port: bool,
    groups: Vec<IpAddr>,
}

impl Udp {
    /// Sends to this address alone, and receives from it alone.
    #[must_use]
    pub fn connected(mut self, peer: impl Into<UdpAddress>) -> Self {
        self.peer = Some(peer.into().0);
        self
    }

    /// Lets it send to the broadcast address of a network.
    #[must_use]
    pub fn allow_broadcast(mut self) -> Self {
        self.may_broadcast = true;
        self
    }

    /// Lets several endpoints, in one or more processes, have the same address, among which the operating system shares out what comes. Where it
    /// cannot, opening is an error.
    #[must_use]
    pub fn reuse_port(mut self) -> Self {
        self.reuse_port = true;
        self
    }

    /// Receives also what is sent to a multicast group, on the interface that the operating system chooses. It may be called for several groups.
    #[must_use]
    pub fn join(mut self, group: IpAddr) -> Self {
        self.groups.push(group);
        self
    }

    fn bind(&self, own: SocketAddr) -> io::Result<UdpSocket> {
        let socket = RawSocket::new(Domain::for_address(own), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if self.reuse_port {
            share_port(&socket)?;
        }
        if self.may_broadcast {
            socket.set_broadcast(true)?;
        }
        socket.bind(&own.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        for group in &self.groups {
            let joined = match group {
                IpAddr::V4(group) => socket.join_multicast_v4(*group, Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(group) => socket.join_multicast_v6(group, 0),
            };
            joined.map_err(|error| not_joined(*group, own, &error))?;
        }
        Ok(socket)
    }
}

/// Says which group it is, and what is wrong with it.
fn not_joined(group: IpAddr, own: SocketAddr, error: &io::Error) -> io::Error {
    let why = if !group.is_multicast() {
        "it is no group: those are 224.0.0.0 to 239.255.255.255 and ff00::/8".to_owned()
    } else if group.is_ipv6() != own.is_ipv6() {
        "an endpoint joins groups of the version of its own address".to_owned()
    } else {
        error.to_string()
    };
    io::Error::new(error.kind(), format!("group {group}: {why}"))
}

#[cfg(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
))]
fn share_port(socket: &RawSocket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
)))]
fn share_port(_: &RawSocket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Datagrams for Udp {}

impl sealed::Datagrams for Udp {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn open(self) -> Opening {
        Box::pin(async move {
            check_reactor("UDP")?;
            let peers = match self.peer.clone() {
                Some(peer) => Some(peer.resolve().await?),
                None => None,
            };
            let mut missing = None;
            for own in self.own.clone().resolve().await? {
                let fail = |error| TransportError::bind(&own.to_string(), error);
                let opened = match &peers {
                    None => self
                        .bind(own)
                        .map(|socket| link(socket, None))
                        .map_err(fail),
                    Some(peers) => self.connect(own, peers).await,
                };
                match opened {
                    Ok(link) => return Ok(link),
                    Err(error) => missing.get_or_insert(error),
                };
            }
            Err(missing.unwrap_or_else(|| TransportError::connect(Vec::new())))
        })
    }
}

impl Udp {
    /// Tries one peer after the other.
    async fn connect(&self, own: SocketAddr, peers: &[SocketAddr]) -> Result<Link, TransportError> {
        let mut errors = Vec::new();
        for &peer in peers {
            let socket = self.bind(own);
            let socket = socket.map_err(|error| TransportError::bind(&own.to_string(), error))?;
            match socket.connect(peer).await {
                Ok(()) => return Ok(link(socket, Some(peer))),
                Err(error) => errors.push((format!("{peer} from {own}"), error)),
            }
        }
        Err(TransportError::connect(errors))
    }
}

fn link(socket: UdpSocket, peer: Option<SocketAddr>) -> Link {
    let socket = Rc::new(socket);
    let own = socket.local_addr().ok();
    let is_v6 = own.is_some_and(|own| own.is_ipv6());
    let info = Info {
        peer_addr: peer,
        local_addr: own,
        ..Info::default()
    };
    Link {
        socket: Box::new(Udp4Or6 {
            // A header of UDP has 8 bytes, one of IP version 4 has 20, and with all the rest they are at most 65,535.
            limit: if is_v6 { 65_527 } else { 65_507 },
            is_v6,
            connected: peer.map(|peer| Connected {
                peer,
                error: RefCell::new(Box::pin(next_error(Rc::clone(&socket)))),
            }),
            socket,
        }),
        info,
        peer: peer.map(DatagramAddr::from),
    }
}

struct Udp4Or6 {
    socket: Rc<UdpSocket>,
    connected: Option<Connected>,
    limit: usize,
    is_v6: bool,
}

struct Connected {
    peer: SocketAddr,
    /// Polling for a datagram is not woken by an error alone.
    error: RefCell<Pin<Box<dyn Future<Output = io::Error>>>>,
}

/// Waits for an error of the socket, such as that nobody is where something was sent to.
async fn next_error(socket: Rc<UdpSocket>) -> io::Error {
    let none = || io::Error::from(io::ErrorKind::WouldBlock);
    loop {
        if let Err(error) = socket.ready(Interest::ERROR).await {
            return error;
        }
        match socket.try_io(Interest::ERROR, || socket.take_error()?.ok_or_else(none)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(error) | Err(error) => return error,
        }
    }
}

impl Udp4Or6 {
    fn poll_error(&self, connected: &Connected, cx: &mut Context<'_>) -> Poll<io::Error> {
        let mut waiting = connected.error.borrow_mut();
        let error = ready!(waiting.as_mut().poll(cx));
        *waiting = Box::pin(next_error(Rc::clone(&self.socket)));
        Poll::Ready(error)
    }
}

impl Socket for Udp4Or6 {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<DatagramAddr>> {
        let Some(connected) = &self.connected else {
            let from = ready!(self.socket.poll_recv_from(cx, buffer))?;
            return Poll::Ready(Ok(from.into()));
        };
        match self.socket.poll_recv(cx, buffer) {
            Poll::Ready(received) => Poll::Ready(received.map(|()| connected.peer.into())),
            Poll::Pending => self.poll_error(connected, cx).map(Err),
        }
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &Bytes,
        to: Option<&DatagramAddr>,
    ) -> Poll<io::Result<()>> {
        let sent = match to.and_then(DatagramAddr::ip) {
            Some(to) => self.socket.poll_send_to(cx, data, to),
            None => self.socket.poll_send(cx, data),
        };
        sent.map_ok(drop)
    }

    fn takes(&self, to: &DatagramAddr) -> bool {
        // What one of version 6 may send to is for the operating system to say.
        to.ip().is_some_and(|to| to.is_ipv4() || self.is_v6)
    }

    fn limit(&self) -> Option<usize> {
        Some(self.limit)
    }
}
