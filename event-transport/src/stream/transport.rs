//! What a protocol sees of its connection.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use bytes::Bytes;
use event_runtime::event_loop::EventLoop;
#[cfg(unix)]
use event_runtime::event_loop::LoopError;

use super::conn::Conn;
use super::info::InfoKey;
use super::limits::WriteLimits;
use crate::connection::Connection;
use crate::error::TransportError;
use crate::protocol::{Binding, Connected, Held, Protocol, ProtocolRef, StreamProtocol};

/// The way of bytes to the peer of one connection, and the switches of the other way. A parameter of a protocol's listener, as `&Transport`.
///
/// A clone is a handle of the same connection; dropping it ends nothing. It belongs to the thread of its loop:
///
/// ```compile_fail,E0277
/// fn elsewhere(transport: tidings::transport::Transport) {
///     std::thread::spawn(move || transport.close());
/// }
/// ```
#[derive(Clone)]
pub struct Transport {
    conn: Rc<Conn>,
}

impl Transport {
    pub(crate) fn of(conn: &Rc<Conn>) -> Self {
        Self {
            conn: Rc::clone(conn),
        }
    }

    /// Starts the connection's task.
    #[cfg(unix)]
    pub(crate) fn start(&self) -> Result<(), LoopError> {
        self.conn.start()
    }

    /// Reads nothing until `false` is said, whether the user pauses or not.
    #[cfg(unix)]
    pub(crate) fn hold_reading(&self, held: bool) {
        self.conn.hold_reading(held);
    }

    /// Who hears of pauses now was told of none.
    #[cfg(unix)]
    pub(crate) fn forget_told(&self) {
        self.conn.output.told.set(false);
    }

    /// Sends bytes to the peer. It never waits: what the operating system does not take now is kept, in order, and written when it can be.
    ///
    /// Whoever writes much looks at the answer, or hears [`WritingPaused`](crate::WritingPaused), or awaits [`writable`](Self::writable). Without
    /// bytes it does nothing.
    ///
    /// # Errors
    ///
    /// [`Closed`](WriteError::Closed) if the connection is closing or lost, [`WriteAfterEof`](WriteError::WriteAfterEof) after
    /// [`write_eof`](Self::write_eof), [`ReadOnly`](WriteError::ReadOnly) at the reading end of a pipe. Then nothing is sent.
    pub fn write(&self, data: impl Into<Bytes>) -> Result<WriteState, WriteError> {
        self.conn.write_piece(data.into())
    }

    /// Sends several pieces as if they were one, without copying them together. All are taken from the iterator before the first is sent.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn write_vectored<B: Into<Bytes>>(
        &self,
        pieces: impl IntoIterator<Item = B>,
    ) -> Result<WriteState, WriteError> {
        self.conn.write_pieces(pieces.into_iter().map(Into::into))
    }

    /// Tells the peer that no more comes, once everything has been written. What the peer sends is still received. A second time it does nothing,
    /// nor on a connection that is closing.
    ///
    /// # Errors
    ///
    /// [`NoHalfClose`](WriteError::NoHalfClose) with TLS and [`ReadOnly`](WriteError::ReadOnly) at the reading end of a pipe: where
    /// [`can_write_eof`](Self::can_write_eof) says no. Then nothing has happened.
    pub fn write_eof(&self) -> Result<(), WriteError> {
        self.conn.write_eof()
    }

    /// Whether one direction can end before the other. With TLS both end together, with [`close`](Self::close), and the reading end of a pipe has
    /// only one.
    pub fn can_write_eof(&self) -> bool {
        self.conn.can_write_eof()
    }

    /// Ends the connection: nothing is received any more, what is buffered is written, and then the protocol hears
    /// [`ConnectionLost`](crate::ConnectionLost) without an error. A second time it does nothing.
    pub fn close(&self) {
        self.conn.close();
    }

    /// Ends the connection at once: what is buffered is discarded. The protocol hears [`ConnectionLost`](crate::ConnectionLost) without an error, in a
    /// later item of the loop.
    pub fn abort(&self) {
        self.conn.abort(None);
    }

    /// Whether the connection is closing or lost.
    pub fn is_closing(&self) -> bool {
        self.conn.is_closing()
    }

    /// Waits until the protocol has heard that the connection is lost.
    pub async fn wait_closed(&self) {
        while !self.conn.is_lost() {
            self.conn.changed.notified().await;
        }
    }

    /// Receives nothing more until [`resume_reading`](Self::resume_reading), so that the peer has to wait. It does nothing if it is paused or closing.
    pub fn pause_reading(&self) {
        self.conn.pause_reading();
    }

    /// Receives again. It does nothing if reading is not paused.
    pub fn resume_reading(&self) {
        self.conn.resume_reading();
    }

    /// Whether bytes of the peer are received: reading is not paused, the peer has not ended, and the connection is not closing.
    pub fn is_reading(&self) -> bool {
        self.conn.is_reading()
    }

    /// How many bytes wait to be written.
    pub fn write_buffer_size(&self) -> usize {
        self.conn.output.size()
    }

    /// The marks at which writing is paused and resumed.
    pub fn write_limits(&self) -> WriteLimits {
        self.conn.output.limits()
    }

    /// Sets the marks at which writing is paused and resumed, and looks at once whether it is to be.
    pub fn set_write_limits(&self, limits: WriteLimits) {
        self.conn.set_limits(limits);
    }

    /// Waits while writing is paused. Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write), also if the connection is lost meanwhile.
    pub async fn writable(&self) -> Result<(), WriteError> {
        self.conn.writable().await
    }

    /// A fact about the connection, such as [`PEER_ADDR`](crate::PEER_ADDR); `None` if this kind of connection has none. The facts stay when the
    /// connection is lost.
    pub fn info<T>(&self, key: InfoKey<T>) -> Option<T> {
        self.conn.facts.info(key)
    }

    /// A fact as text, as asyncio names them: `"peername"`, `"sockname"`, `"pipe"` or `"subprocess"`; with TLS also `"cipher"`, `"peercert"` (the SHA-256 of the
    /// peer's certificate) and `"ssl_object"` (the version). `default` if there is none.
    pub fn info_str(&self, name: &str, default: &str) -> String {
        let fact = self.conn.facts.facts().by_name(name);
        fact.unwrap_or_else(|| default.to_owned())
    }

    /// What listeners on a bus are told of the connection.
    pub fn connection(&self) -> &Connection {
        &self.conn.facts
    }

    /// The loop that it belongs to.
    pub fn event_loop(&self) -> &EventLoop {
        &self.conn.lp
    }

    /// The instance of the connection's protocol, if it is of this type and the connection is not lost.
    pub fn protocol<P: Protocol>(&self) -> Option<ProtocolRef<P>> {
        ProtocolRef::find(self.conn.instance(), self)
    }

    /// Puts another protocol in the place of this one, which hears everything that comes from now on. It does not hear that the connection was made;
    /// if writing is paused it is told so at once.
    ///
    /// Inside of a listener, the instance that it belongs to lives until the listener returns.
    ///
    /// # Errors
    ///
    /// [`State`](crate::TransportErrorKind::State) if the bus of the connection has not what the listeners of the new protocol ask for,
    /// [`Closed`](crate::TransportErrorKind::Closed) if the connection is lost.
    #[track_caller]
    pub fn upgrade<P: StreamProtocol>(
        &self,
        protocol: P,
    ) -> Result<ProtocolRef<P>, TransportError> {
        if self.conn.is_lost() {
            return Err(TransportError::lost());
        }
        let bus = self.conn.bus();
        let held = Held::new(
            protocol,
            Binding::of::<P>(bus.as_ref(), Location::caller())?,
        );
        self.conn.set_instance(Rc::clone(&held) as _);
        Ok(ProtocolRef::new(held, self.clone()))
    }

    #[cfg(feature = "tls")]
    pub(crate) fn conn(&self) -> &Rc<Conn> {
        &self.conn
    }
}

impl Connected for Transport {
    fn catch_up(&self) {
        self.conn.catch_up();
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("connection", &self.conn.facts)
            .field("is_closing", &self.is_closing())
            .field("write_buffer_size", &self.write_buffer_size())
            .finish()
    }
}

/// What became of the bytes of a [`write`](Transport::write).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteState {
    /// The operating system has taken all.
    Sent,
    /// Some wait in the buffer.
    Buffered,
    /// So many wait that writing is paused, or have waited and still do: see [`WriteLimits`].
    OverHigh,
}

/// Why bytes were not sent.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The connection is closing or lost.
    Closed,
    /// [`write_eof`](Transport::write_eof) said that no more comes.
    WriteAfterEof,
    /// The connection is the reading end of a pipe.
    ReadOnly,
    /// The connection has TLS, of which no direction ends before the other.
    NoHalfClose,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WriteError::Closed => "the connection is closing or lost",
            WriteError::WriteAfterEof => "`write_eof` has said that no more comes",
            WriteError::ReadOnly => "this end of the pipe is the reading one",
            WriteError::NoHalfClose => {
                "with TLS both directions end together: say in a message of the protocol that no more comes, or write `close`"
            }
        })
    }
}

crate::words::debug_as_display!(WriteError);

impl Error for WriteError {}
