//! What a protocol sees of its endpoint.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use bytes::Bytes;
use event_runtime::event_loop::EventLoop;

use super::addr::DatagramAddr;
use super::error::SendError;
use super::state::State;
use crate::connection::Connection;
use crate::error::TransportError;
use crate::protocol::{Binding, Connected, DatagramProtocol, Held, Protocol, ProtocolRef};
use crate::stream::{InfoKey, WriteLimits, WriteState};

/// The way of datagrams to the others. A parameter of a protocol's listener, as `&DatagramTransport`.
///
/// A clone is a handle of the same endpoint; dropping it ends nothing. It belongs to the thread of its loop:
///
/// ```compile_fail,E0277
/// fn elsewhere(transport: tidings::transport::DatagramTransport) {
///     std::thread::spawn(move || transport.close());
/// }
/// ```
#[derive(Clone)]
pub struct DatagramTransport {
    state: Rc<State>,
}

impl DatagramTransport {
    pub(super) fn of(state: &Rc<State>) -> Self {
        Self {
            state: Rc::clone(state),
        }
    }

    /// Sends one datagram to the peer of a connected endpoint. It may be empty.
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to).
    pub fn send(&self, data: impl Into<Bytes>) -> Result<WriteState, SendError> {
        self.state.send_to(data.into(), None)
    }

    /// Sends one datagram to an address: that of a [`DatagramReceived`](crate::DatagramReceived), a `SocketAddr` of UDP, or the path of a Unix socket. It
    /// never waits: what the operating system does not take now is kept, whole and in order, and sent when it can be.
    ///
    /// The answer says nothing about its arrival. What the operating system says of a datagram, now or later, the protocol hears as
    /// [`ErrorReceived`](crate::ErrorReceived), and that datagram is not sent again.
    ///
    /// # Errors
    ///
    /// A [`SendError`] if the endpoint cannot take it: then nothing is sent.
    pub fn send_to(
        &self,
        data: impl Into<Bytes>,
        to: impl Into<DatagramAddr>,
    ) -> Result<WriteState, SendError> {
        self.state.send_to(data.into(), Some(to.into()))
    }

    /// Ends the endpoint: nothing is received any more, what waits is sent, and then the protocol hears [`ConnectionLost`](crate::ConnectionLost)
    /// without an error. A second time it does nothing. As long as a Unix socket that does not read has no room for what waits, the endpoint stays: who
    /// cannot wait calls [`abort`](Self::abort) after a time.
    pub fn close(&self) {
        self.state.life.close();
    }

    /// Ends the endpoint at once: what waits is discarded. The protocol hears [`ConnectionLost`](crate::ConnectionLost) without an error, in a later
    /// item of the loop.
    pub fn abort(&self) {
        self.state.abort(None);
    }

    /// Whether the endpoint is closing or lost.
    pub fn is_closing(&self) -> bool {
        self.state.life.is_closing()
    }

    /// Waits until the protocol has heard that the endpoint is lost.
    pub async fn wait_closed(&self) {
        while !self.state.life.is_lost() {
            self.state.life.changed.notified().await;
        }
    }

    /// How many bytes wait to be sent: those of each datagram and 8 more.
    pub fn write_buffer_size(&self) -> usize {
        self.state.output.size()
    }

    /// The marks at which sending is paused and resumed, in bytes as [`write_buffer_size`](Self::write_buffer_size) counts them.
    pub fn write_limits(&self) -> WriteLimits {
        self.state.output.limits()
    }

    /// Sets the marks at which sending is paused and resumed, and looks at once whether it is to be.
    pub fn set_write_limits(&self, limits: WriteLimits) {
        self.state.set_limits(limits);
    }

    /// Waits while sending is paused. Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed) if the endpoint is closing or lost, also if that happens meanwhile.
    pub async fn writable(&self) -> Result<(), SendError> {
        self.state.writable().await
    }

    /// A fact about the endpoint, such as [`LOCAL_ADDR`](crate::LOCAL_ADDR); `None` if this kind of endpoint has none. The facts stay when the
    /// endpoint is lost.
    pub fn info<T>(&self, key: InfoKey<T>) -> Option<T> {
        key.get(self.state.life.facts.facts())
    }

    /// A fact as text: `"peername"` or `"sockname"`, as asyncio names them. `default` if there is none.
    pub fn info_str(&self, name: &str, default: &str) -> String {
        let fact = self.state.life.facts.facts().by_name(name);
        fact.unwrap_or_else(|| default.to_owned())
    }

    /// What listeners on a bus are told of the endpoint.
    pub fn connection(&self) -> &Connection {
        &self.state.life.facts
    }

    /// The loop that it belongs to.
    pub fn event_loop(&self) -> &EventLoop {
        &self.state.life.lp
    }

    /// The instance of the endpoint's protocol, if it is of this type and the endpoint is not lost.
    pub fn protocol<P: Protocol>(&self) -> Option<ProtocolRef<P, Self>> {
        ProtocolRef::find(self.state.life.instance(), self)
    }

    /// Puts another protocol in the place of this one, which hears everything that comes from now on. It does not hear that the endpoint was made; if
    /// sending is paused it is told so at once.
    ///
    /// # Errors
    ///
    /// [`State`](crate::TransportErrorKind::State) if the bus of the endpoint has not what the listeners of the new protocol ask for,
    /// [`Closed`](crate::TransportErrorKind::Closed) if the endpoint is lost.
    #[track_caller]
    pub fn upgrade<P: DatagramProtocol>(
        &self,
        protocol: P,
    ) -> Result<ProtocolRef<P, Self>, TransportError> {
        if self.state.life.is_lost() {
            return Err(TransportError::lost());
        }
        let bus = self.state.life.bus();
        let binding = Binding::of::<P>(bus.as_ref(), Location::caller())?;
        let held = Held::new(protocol, binding);
        self.state.set_instance(Rc::clone(&held) as _);
        Ok(ProtocolRef::new(held, self.clone()))
    }
}

impl Connected for DatagramTransport {
    fn catch_up(&self) {
        self.state.catch_up();
    }
}

impl fmt::Debug for DatagramTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramTransport")
            .field("connection", self.connection())
            .field("is_closing", &self.is_closing())
            .field("write_buffer_size", &self.write_buffer_size())
            .finish()
    }
}
