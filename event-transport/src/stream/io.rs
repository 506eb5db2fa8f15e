//! What connections are made of.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

use super::info::Info;
use crate::error::TransportError;

/// Bytes in both directions.
pub(crate) trait Io: AsyncRead + AsyncWrite {}

impl<T: AsyncRead + AsyncWrite> Io for T {}

/// A connection that nothing was done with yet.
pub(crate) struct Link {
    pub(crate) io: Pin<Box<dyn Io>>,
    pub(crate) info: Info,
    /// It has something to say at its end. A socket is ended by being dropped.
    pub(crate) needs_shutdown: bool,
    /// Handshakes that are to be done, one upon the other.
    #[cfg(feature = "tls")]
    pub(crate) layers: Vec<crate::tls::Layer>,
}

impl Link {
    pub(crate) fn new(io: impl Io + 'static, info: Info, needs_shutdown: bool) -> Self {
        Self {
            io: Box::pin(io),
            info,
            needs_shutdown,
            #[cfg(feature = "tls")]
            layers: Vec::new(),
        }
    }

    /// With the name that the other side is to prove.
    #[cfg(feature = "tls")]
    pub(crate) fn with_host(mut self, host: String) -> Self {
        self.info.host = Some(host);
        self
    }
}

/// A place where connections come in.
pub(crate) trait Acceptor {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>>;

    /// Where it is.
    fn info(&self) -> Info;
}

pub(crate) type Dialing = Pin<Box<dyn Future<Output = Result<Link, TransportError>>>>;
pub(crate) type Binding =
    Pin<Box<dyn Future<Output = Result<Vec<Box<dyn Acceptor>>, TransportError>>>>;

/// Where a connection leads: [`tcp`](crate::tcp), `unix`, [`memory`](crate::memory), one end of a [`pair`](crate::pair), or any
/// [`stream`](crate::stream); also with `tls` around it.
#[diagnostic::on_unimplemented(
    message = "a client cannot connect to `{Self}`",
    label = "nothing to connect to",
    note = "write `tcp(\"localhost:80\")`, `unix(\"path\")`, `memory()`, an end of a `pair()`, or `stream(io)` for what is connected already; `tls(&client, ..)` goes around any of these, with a `TlsClient`"
)]
pub trait Dial: sealed::Dial {}

/// Where connections come from: [`tcp`](crate::tcp), `unix` or [`memory`](crate::memory); also with `tls` around it.
#[diagnostic::on_unimplemented(
    message = "a server cannot listen at `{Self}`",
    label = "nothing to listen at",
    note = "write `tcp(\"127.0.0.1:80\")`, `unix(\"path\")` or `memory()`; `tls(&server, ..)` goes around any of these, with a `TlsServer`"
)]
pub trait Listen: sealed::Listen {}

pub(crate) mod sealed {
    pub trait Dial {
        #[doc(hidden)]
        #[expect(private_interfaces, reason = "only this package calls it")]
        fn dial(self) -> super::Dialing;
    }

    pub trait Listen {
        #[doc(hidden)]
        #[expect(private_interfaces, reason = "only this package calls it")]
        fn bind(self) -> super::Binding;
    }
}

/// Whether this thread is inside of tokio's reactor, without which sockets panic.
pub(crate) fn check_reactor(what: &str) -> Result<(), TransportError> {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(TransportError::no_reactor(what)),
    }
}

/// Whether nothing has happened but a wait, or a signal during one. Tokio's sockets deal with it themselves.
pub(crate) fn is_to_be_tried_again(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}
