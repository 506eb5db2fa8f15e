//! Making a connection.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use event_core::Bus;
use event_runtime::event_loop::{EventLoop, LoopError};

use super::conn::Conn;
use super::endpoint::Plan;
use super::io::Dial;
use super::limits::WriteLimits;
use super::transport::Transport;
use crate::connection::Side;
use crate::error::TransportError;
use crate::life::Stage;
use crate::protocol::{Protocol, ProtocolRef, StreamProtocol};

/// Connects to `to`, with a protocol that is made by its `Default`. Await it.
#[track_caller]
pub fn connect<P: StreamProtocol + Default>(lp: &EventLoop, to: impl Dial + 'static) -> Connect<P> {
    connect_with(lp, to, P::default)
}

/// Connects to `to`, with the protocol that `factory` makes once there is a connection. Await it.
///
/// ```
/// use tidings::transport::{DataReceived, PEER_ADDR, Transport, WriteError, connect_with, serve, tcp};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Echo;
///
/// #[protocol]
/// impl Echo {
///     #[listener]
///     fn data(e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
///         t.write(e.data.clone()).map(drop)
///     }
/// }
///
/// struct Reader {
///     wanted: usize,
///     got: Vec<u8>,
/// }
///
/// #[protocol]
/// impl Reader {
///     #[listener]
///     fn data(&mut self, e: &DataReceived, t: &Transport) {
///         self.got.extend_from_slice(&e.data);
///         if self.got.len() >= self.wanted {
///             t.close();
///         }
///     }
/// }
///
/// let lp = EventLoop::new()?;
/// let got = lp.run_until_complete(async {
///     let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
///     let to = tcp(server.local_addrs());
///     let (transport, reader) = connect_with(&lp, to, || Reader { wanted: 5, got: Vec::new() }).await?;
///     assert_eq!(transport.info(PEER_ADDR), server.local_addrs().first().copied());
///     transport.write("hello")?;
///     transport.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(reader.with(|reader| reader.got.clone())?)
/// })??;
/// assert_eq!(got, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn connect_with<P: StreamProtocol>(
    lp: &EventLoop,
    to: impl Dial + 'static,
    factory: impl FnOnce() -> P + 'static,
) -> Connect<P> {
    Connect {
        plan: Plan::new(lp),
        dialing: Box::new(move || to.dial()),
        factory: Box::new(factory),
    }
}

/// A connection in the making: what [`connect`] gives, to be awaited. The output is the transport and the instance of its protocol, which has then
/// heard [`ConnectionMade`](crate::ConnectionMade).
///
/// The error is a [`TransportError`]. Of several addresses each is tried in its turn, and the error has what happened at each.
#[must_use = "nothing is connected before it is awaited"]
pub struct Connect<P> {
    plan: Plan,
    dialing: Box<dyn FnOnce() -> super::io::Dialing>,
    factory: Box<dyn FnOnce() -> P>,
}

impl<P> Connect<P> {
    /// Gives the connection a label, with which it is told to the bus: see [`ConnectionMade`](crate::ConnectionMade).
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.plan.label = Some(label.into());
        self
    }

    /// The bus of the protocol's listeners, in the place of the one that is current where this was called.
    pub fn on(mut self, bus: &Bus) -> Self {
        self.plan.bus = Some(bus.clone());
        self
    }

    /// The marks of the write buffer.
    pub fn write_limits(mut self, limits: WriteLimits) -> Self {
        self.plan.limits = limits;
        self
    }
}

impl<P: Protocol> IntoFuture for Connect<P> {
    type Output = Result<(Transport, ProtocolRef<P>), TransportError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                plan,
                dialing,
                factory,
            } = self;
            if plan.lp.is_closed() {
                return Err(TransportError::closed(LoopError::Closed));
            }
            let endpoint = plan.bind::<P>(Side::Client)?;
            let link = dialing().await?;
            let (conn, held) = endpoint.connection(link, factory)?;
            conn.start().map_err(TransportError::closed)?;
            let unwanted = Unwanted(&conn);
            while conn.stage.get() == Stage::New {
                conn.changed.notified().await;
            }
            std::mem::forget(unwanted);
            if !conn.was_made.get() {
                #[cfg(feature = "tls")]
                if let Some(error) = conn.take_failure() {
                    return Err(TransportError::handshake(&conn.facts, error));
                }
                return Err(TransportError::lost());
            }
            let transport = Transport::of(&conn);
            Ok((transport.clone(), ProtocolRef::new(held, transport)))
        })
    }
}

/// Whoever wanted the connection has given up waiting for it.
struct Unwanted<'c>(&'c Conn);

impl Drop for Unwanted<'_> {
    fn drop(&mut self) {
        self.0.abort(None);
    }
}

impl<P> std::fmt::Debug for Connect<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect")
            .field("label", &self.plan.label)
            .finish_non_exhaustive()
    }
}
