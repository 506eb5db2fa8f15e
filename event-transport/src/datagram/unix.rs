//! Datagrams of Unix sockets.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use socket2::{SockAddr, SockRef};
use tokio::io::ReadBuf;
use tokio::net::UnixDatagram as RawSocket;
use tokio::net::unix::SocketAddr;
use tokio::time::{Sleep, sleep};

use super::addr::DatagramAddr;
use super::socket::{Datagrams, Link, Opening, Socket, sealed};
use crate::error::TransportError;
use crate::stream::{Info, SocketFile, check_reactor, is_stale_socket, no_socket};

/// The path of a Unix datagram socket, for [`endpoint`](crate::endpoint): its own, at which it receives.
///
/// The path is removed when the endpoint is lost, if it still leads to its socket. It takes the place of a socket at which nobody receives any more.
///
/// ```
/// use tidings::transport::{DatagramReceived, DatagramTransport, UnixDatagram, endpoint, unix_datagram};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Once;
///
/// #[protocol]
/// impl Once {
///     #[listener]
///     fn datagram(_: &DatagramReceived, t: &DatagramTransport) {
///         t.close();
///     }
/// }
///
/// let path = std::env::temp_dir().join(format!("tidings-once-{}", std::process::id()));
/// let lp = EventLoop::new()?;
/// lp.run_until_complete(async {
///     let (receiver, _) = endpoint::<Once>(&lp, unix_datagram(&path)).await?;
///     let to = UnixDatagram::unbound().connected(&path);
///     let (sender, _) = endpoint::<Once>(&lp, to).await?;
///     sender.send("that is all")?;
///     receiver.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// assert!(!path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unix_datagram(path: impl Into<PathBuf>) -> UnixDatagram {
    UnixDatagram {
        own: Some(path.into()),
        peer: None,
    }
}

/// See [`unix_datagram`].
#[derive(Debug, Clone)]
pub struct UnixDatagram {
    own: Option<PathBuf>,
    peer: Option<PathBuf>,
}

impl UnixDatagram {
    /// Without a path of its own: it sends, and nobody can answer it.
    pub fn unbound() -> Self {
        Self {
            own: None,
            peer: None,
        }
    }

    /// Sends to this path alone.
    #[must_use]
    pub fn connected(mut self, peer: impl Into<PathBuf>) -> Self {
        self.peer = Some(peer.into());
        self
    }
}

fn bind(path: &Path) -> io::Result<RawSocket> {
    let is_stale = || is_stale_socket(path, || RawSocket::unbound()?.connect(path));
    match RawSocket::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale() => {
            std::fs::remove_file(path)?;
            RawSocket::bind(path)
        }
        bound => bound,
    }
}

impl Datagrams for UnixDatagram {}

impl sealed::Datagrams for UnixDatagram {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn open(self) -> Opening {
        Box::pin(async move {
            check_reactor("a Unix socket")?;
            let Self { own, peer } = self;
            let name = |path: &Option<PathBuf>| match path {
                Some(path) => path.display().to_string(),
                None => "no path".to_owned(),
            };
            let fail = |error| {
                let path = own.as_deref().unwrap_or(Path::new(""));
                TransportError::bind(&name(&own), no_socket(path, error))
            };
            let (socket, file) = match &own {
                Some(path) => {
                    let socket = bind(path).map_err(fail)?;
                    (socket, Some(SocketFile::of(path).map_err(fail)?))
                }
                None => (RawSocket::unbound().map_err(fail)?, None),
            };
            if let Some(path) = &peer {
                let connected = socket.connect(path);
                connected.map_err(|error| {
                    let error = no_socket(path, error);
                    TransportError::connect(vec![(name(&peer), error)])
                })?;
            }
            let info = Info {
                peer_path: peer.clone(),
                local_path: own,
                ..Info::default()
            };
            Ok(Link {
                socket: Box::new(Bound {
                    socket,
                    _file: file,
                    pause: RefCell::new(None),
                    looks: Cell::new(0),
                }),
                info,
                peer: peer.map(DatagramAddr::Path),
            })
        })
    }
}

/// How long one waits for room at a peer: longer each time, from the first to the last of these.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
];

struct Bound {
    socket: RawSocket,
    /// Removed with the socket.
    _file: Option<SocketFile>,
    /// Until the next look whether the peer has room.
    pause: RefCell<Option<Pin<Box<Sleep>>>>,
    /// How many looks there were that found none.
    looks: Cell<usize>,
}

impl Bound {
    /// Looks now and then. A socket that is not connected is woken only if it was its own datagrams for which there was no room.
    fn poll_send_later(
        &self,
        cx: &mut Context<'_>,
        data: &Bytes,
        to: &Path,
    ) -> Poll<io::Result<()>> {
        let mut pause = self.pause.borrow_mut();
        loop {
            let length = PAUSES[self.looks.get().min(PAUSES.len() - 1)];
            let waiting = pause.get_or_insert_with(|| Box::pin(sleep(length)));
            ready!(waiting.as_mut().poll(cx));
            *pause = None;
            let sent = SockRef::from(&self.socket).send_to(data, &SockAddr::unix(to)?);
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.looks.set(self.looks.get() + 1);
                }
                sent => {
                    self.looks.set(0);
                    return Poll::Ready(sent.map(drop));
                }
            }
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "what a receive has given is done with"
)]
fn addr(from: SocketAddr) -> DatagramAddr {
    let path = from.as_pathname();
    path.map_or(DatagramAddr::Unnamed, DatagramAddr::from)
}

impl Socket for Bound {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<DatagramAddr>> {
        let from = ready!(self.socket.poll_recv_from(cx, buffer))?;
        Poll::Ready(Ok(addr(from)))
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &Bytes,
        to: Option<&DatagramAddr>,
    ) -> Poll<io::Result<()>> {
        let Some(to) = to.and_then(DatagramAddr::path) else {
            return self.socket.poll_send(cx, data).map_ok(drop);
        };
        match self.socket.poll_send_to(cx, data, to) {
            Poll::Ready(sent) => Poll::Ready(sent.map(drop)),
            Poll::Pending => self.poll_send_later(cx, data, to),
        }
    }

    fn takes(&self, to: &DatagramAddr) -> bool {
        to.path().is_some()
    }

    fn limit(&self) -> Option<usize> {
        None
    }
}
