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
        let is_socket = |path| std::fs::metadata(path).is_ok_and(|m| m.file_type().is_socket());
        if !is_socket(&self.path) {
            return false;
        }
        let refused = UnixStream::connect(&self.path).await;
        refused.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

fn link(stream: UnixStream) -> Link {
    let info = Info {
        peer_path: stream.peer_addr().ok().and_then(path_of),
        local_path: stream.local_addr().ok().and_then(path_of),
        credentials: (stream.peer_cred().ok()).map(|peer| (peer.uid(), peer.gid())),
        ..Info::default()
    };
    Link {
        io: Box::pin(stream),
        info,
        needs_shutdown: false,
    }
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
                Err(error) => Err(TransportError::connect(vec![(self.name(), error)])),
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
            let fail = |error| TransportError::bind(&self.name(), error);
            let listener = self.listen().await.map_err(fail)?;
            let socket = std::fs::metadata(&self.path).map_err(fail)?;
            let bound = Bound {
                listener,
                file: (socket.dev(), socket.ino()),
                path: self.path,
            };
            Ok(vec![Box::new(bound) as Box<dyn Acceptor>])
        })
    }
}

/// A socket at a path.
struct Bound {
    listener: UnixListener,
    path: PathBuf,
    /// The device and the number of its file.
    file: (u64, u64),
}

impl Acceptor for Bound {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let (stream, _) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Ok(link(stream)))
    }

    fn info(&self) -> Info {
        Info {
            local_path: Some(self.path.clone()),
            ..Info::default()
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let is_own = |socket: std::fs::Metadata| (socket.dev(), socket.ino()) == self.file;
        if std::fs::metadata(&self.path).is_ok_and(is_own) {
            // Whoever removed it meanwhile has done what is to be done.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
