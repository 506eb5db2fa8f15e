//! Opening an endpoint.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use event_core::Bus;
use event_runtime::event_loop::{EventLoop, LoopError};

use super::socket::{Datagrams, Opening};
use super::state::State;
use super::transport::DatagramTransport;
use crate::connection::Side;
use crate::error::TransportError;
use crate::life::Stage;
use crate::protocol::{DatagramProtocol, Protocol, ProtocolRef};
use crate::stream::{Plan, WriteLimits};

/// Opens a datagram endpoint at `at`, with a protocol that is made by its `Default`. Await it.
#[track_caller]
pub fn endpoint<P: DatagramProtocol + Default>(
    lp: &EventLoop,
    at: impl Datagrams + 'static,
) -> OpenEndpoint<P> {
    endpoint_with(lp, at, P::default)
}

/// Opens a datagram endpoint at `at`, with the protocol that `factory` makes. Await it.
///
/// ```
/// use tidings::transport::{
///     DatagramReceived, DatagramTransport, LOCAL_ADDR, SendError, endpoint, endpoint_with, udp,
/// };
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Echo;
///
/// #[protocol]
/// impl Echo {
///     #[listener]
///     fn datagram(e: &DatagramReceived, t: &DatagramTransport) -> Result<(), SendError> {
///         t.send_to(e.data.clone(), e.from.clone()).map(drop)
///     }
/// }
///
/// struct Question(Vec<u8>);
///
/// #[protocol]
/// impl Question {
///     #[listener]
///     fn datagram(&mut self, e: &DatagramReceived, t: &DatagramTransport) {
///         self.0 = e.data.to_vec();
///         t.close();
///     }
/// }
///
/// let lp = EventLoop::new()?;
/// let heard = lp.run_until_complete(async {
///     let (echo, _) = endpoint::<Echo>(&lp, udp("127.0.0.1:0")).await?;
///     let there = echo.info(LOCAL_ADDR).ok_or("an endpoint of UDP has an address")?;
///     let at = udp("127.0.0.1:0").connected(there);
///     let (transport, question) = endpoint_with(&lp, at, || Question(Vec::new())).await?;
///     transport.send("anybody?")?;
///     transport.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(question.with(|question| question.0.clone())?)
/// })??;
/// assert_eq!(heard, b"anybody?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn endpoint_with<P: DatagramProtocol>(
    lp: &EventLoop,
    at: impl Datagrams + 'static,
    factory: impl FnOnce() -> P + 'static,
) -> OpenEndpoint<P> {
    OpenEndpoint {
        plan: Plan::new(lp),
        opening: Box::new(move || at.open()),
        factory: Box::new(factory),
    }
}

/// A datagram endpoint in the making: what [`endpoint`] gives, to be awaited. The output is the transport and the instance of its protocol, which has
/// then heard [`ConnectionMade`](crate::ConnectionMade).
///
/// The error is a [`TransportError`], which names the address that was not to be had.
#[must_use = "nothing is opened before it is awaited"]
pub struct OpenEndpoint<P> {
    plan: Plan,
    opening: Box<dyn FnOnce() -> Opening>,
    factory: Box<dyn FnOnce() -> P>,
}

impl<P> OpenEndpoint<P> {
    /// Gives the endpoint a label, with which it is told to the bus: see [`ConnectionMade`](crate::ConnectionMade).
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.plan.label = Some(label.into());
        self
    }

    /// The bus of the protocol's listeners, in the place of the one that is current where this was called.
    pub fn on(mut self, bus: &Bus) -> Self {
        self.plan.bus = Some(bus.clone());
        self
    }

    /// The marks of the write buffer. Each datagram that waits counts 8 bytes more than it has.
    pub fn write_limits(mut self, limits: WriteLimits) -> Self {
        self.plan.limits = limits;
        self
    }
}

impl<P: Protocol> IntoFuture for OpenEndpoint<P> {
    type Output = Result<(DatagramTransport, ProtocolRef<P, DatagramTransport>), TransportError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                plan,
                opening,
                factory,
            } = self;
            if plan.lp.is_closed() {
                return Err(TransportError::closed(LoopError::Closed));
            }
            let endpoint = plan.bind::<P>(Side::Client)?;
            let link = opening().await?;
            let limits = endpoint.plan.limits;
            let (life, held) = endpoint.life(link.info.clone(), factory)?;
            let state = State::new(life, link, limits);
            state.start().map_err(TransportError::closed)?;
            let transport = DatagramTransport::of(&state);
            let unwanted = Unwanted(&state);
            while state.life.stage.get() == Stage::New {
                state.life.changed.notified().await;
            }
            std::mem::forget(unwanted);
            if !state.life.was_made.get() {
                return Err(TransportError::lost());
            }
            Ok((transport.clone(), ProtocolRef::new(held, transport)))
        })
    }
}

/// Whoever wanted the endpoint has given up waiting for it.
struct Unwanted<'s>(&'s State);

impl Drop for Unwanted<'_> {
    fn drop(&mut self) {
        self.0.abort(None);
    }
}

impl<P> fmt::Debug for OpenEndpoint<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenEndpoint")
            .field("label", &self.plan.label)
            .finish_non_exhaustive()
    }
}
