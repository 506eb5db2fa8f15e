//! Unix sockets.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

use super::info::Info;
use super::io::{Acceptor, Binding, Dial, Dialing, Link, Listen, check_reactor, sealed};
use crate::error::TransportError;

/// The path of a Unix socket, for [`serve`](crate::serve) and [`connect`](crate::connect).
///
/// A server removes the path when it is closed, if it still leads to its socket, and takes the place of a socket at which nobody listens any more.
pub fn unix(path: impl Into<PathBuf>) -> Unix {
    Unix { path: path.into() }
}

/// See [`unix`].
#[derive(Debug, Clone)]
pub struct Unix {
    path: PathBuf,
}

impl Unix {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    async fn listen(&self) -> io::Result<UnixListener> {
        match UnixListener::bind(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && self.is_stale().await => {
                std::fs::remove_file(&self.path)?;
                UnixListener::bind(&self.path)
            }
            bound => bound,
        }
    }

    /// Whether there is a socket of a server that is gone.
    async fn is_stale(&self) -> bool {
        let connected = UnixStream::connect(&self.path).await;
        is_stale_socket(&self.path, || connected.map(drop))
    }
}

/// Whether there is a socket at which nobody is, as connecting to it says.
pub(crate) fn is_stale_socket(path: &Path, connect: impl FnOnce() -> io::Result<()>) -> bool {
    let is_socket = std::fs::metadata(path).is_ok_and(|m| m.file_type().is_socket());
    is_socket && connect().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Says of an error whether it is for want of a socket at this path.
pub(crate) fn no_socket(path: &Path, error: io::Error) -> io::Error {
    let is_other = std::fs::metadata(path).is_ok_and(|m| !m.file_type().is_socket());
    match error.kind() {
        io::ErrorKind::AddrInUse if is_other => {
            let why = "something that is no socket has this path: remove it, or take another path";
            io::Error::new(error.kind(), why)
        }
        io::ErrorKind::ConnectionRefused if is_other => {
            let why = "what has this path is no socket";
            io::Error::new(error.kind(), why)
        }
        _ => error,
    }
}

/// The file of a socket, removed with this if it is still the same.
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Its device and its number.
    file: (u64, u64),
}

impl SocketFile {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let socket = std::fs::metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: (socket.dev(), socket.ino()),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_own = |socket: std::fs::Metadata| (socket.dev(), socket.ino()) == self.file;
        if std::fs::metadata(&self.path).is_ok_and(is_own) {
            // Whoever removed it meanwhile has done what is to be done.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn link(stream: UnixStream) -> Link {
    let info = Info {
        peer_path: stream.peer_addr().ok().and_then(path_of),
        local_path: stream.local_addr().ok().and_then(path_of),
        credentials: (stream.peer_cred().ok()).map(|peer| (peer.uid(), peer.gid())),
        ..Info::default()
    };
    Link::new(stream, info, false)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the end of an option's chain"
)]
fn path_of(addr: SocketAddr) -> Option<PathBuf> {
    addr.as_pathname().map(Path::to_owned)
}

impl Dial for Unix {}

impl sealed::Dial for Unix {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn dial(self) -> Dialing {
        Box::pin(async move {
            check_reactor("a Unix socket")?;
            match UnixStream::connect(&self.path).await {
                Ok(stream) => Ok(link(stream)),
                Err(error) => {
                    let error = no_socket(&self.path, error);
                    Err(TransportError::connect(vec![(self.name(), error)]))
                }
            }
        })
    }
}

impl Listen for Unix {}

impl sealed::Listen for Unix {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn bind(self) -> Binding {
        Box::pin(async move {
            check_reactor("a Unix socket")?;
            let fail = |error| TransportError::bind(&self.name(), no_socket(&self.path, error));
            let listener = self.listen().await.map_err(fail)?;
            let file = SocketFile::of(&self.path).map_err(fail)?;
            let bound = Bound { listener, file };
            Ok(vec![Box::new(bound) as Box<dyn Acceptor>])
        })
    }
}

/// A socket at a path.
struct Bound {
    listener: UnixListener,
    file: SocketFile,
}

impl Acceptor for Bound {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let (stream, _) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Ok(link(stream)))
    }

    fn info(&self) -> Info {
        Info {
            local_path: Some(self.file.path.clone()),
            ..Info::default()
        }
    }
}
