//! The connections of [`tidings`](https://docs.rs/tidings): transports, which move bytes, and protocols, which say what they mean.
//!
//! What a connection does are events, and a protocol is a set of listeners: one instance for each connection, whose methods hear what happens to it.
//! Of streams, [`serve`] accepts connections and [`connect`] makes one; [`endpoint`] opens one of datagrams, and on Unix `process` one to a child program.
//! All are run by an [`EventLoop`](event_runtime::event_loop::EventLoop), each connection as one task.
//!
//! ```
//! use tidings::transport::{ConnectionMade, DataReceived, Transport, WriteError, connect_with, pair};
//! use tidings::{EventLoop, protocol};
//!
//! #[derive(Default)]
//! struct Echo;
//!
//! #[protocol]
//! impl Echo {
//!     #[listener]
//!     fn data(e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
//!         t.write(e.data.clone())?;
//!         Ok(())
//!     }
//! }
//!
//! /// Says hello, and ends the connection with what comes back.
//! struct Hello(Vec<u8>);
//!
//! #[protocol]
//! impl Hello {
//!     #[listener]
//!     fn made(_: &ConnectionMade, t: &Transport) -> Result<(), WriteError> {
//!         t.write("hello")?;
//!         Ok(())
//!     }
//!
//!     #[listener]
//!     fn data(&mut self, e: &DataReceived, t: &Transport) {
//!         self.0.extend_from_slice(&e.data);
//!         t.close();
//!     }
//! }
//!
//! let lp = EventLoop::virtual_time();
//! let (ours, theirs) = pair();
//! let heard = lp.run_until_complete(async {
//!     let _echo = connect_with(&lp, theirs, Echo::default).await?;
//!     let (transport, hello) = connect_with(&lp, ours, || Hello(Vec::new())).await?;
//!     transport.wait_closed().await;
//!     hello.with(|hello| Ok::<_, Box<dyn std::error::Error>>(hello.0.clone()))?
//! })??;
//! assert_eq!(heard, b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod datagram;
mod declared;
mod error;
mod events;
#[cfg(unix)]
mod level;
mod life;
#[doc(hidden)]
pub mod private;
mod process;
mod protocol;
mod stream;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(unix)]
mod watch;
#[cfg(feature = "wire")]
pub mod wire;
mod words;

pub use connection::{Connection, Side};
pub use datagram::{
    DatagramAddr, DatagramEnd, DatagramTransport, Datagrams, OpenEndpoint, SendError, Udp,
    UdpAddress, datagram_pair, endpoint, endpoint_with, udp,
};
#[cfg(unix)]
pub use datagram::{UnixDatagram, unix_datagram};
pub use error::{ConnectionError, ConnectionErrorKind, TransportError, TransportErrorKind};
pub use events::{
    AfterEof, BufferFilled, ConnectionLost, ConnectionMade, DataReceived, DatagramReceived,
    EofReceived, ErrorReceived, PipeClosed, PipeDataReceived, ProcessExited, WritingPaused,
    WritingResumed,
};
pub use process::ExitStatus;
#[cfg(unix)]
pub use process::{
    Command, Output, ProcessTransport, SignalError, Spawn, Stdio, command, communicate, process,
    process_with, shell,
};
pub use protocol::{
    Busy, DatagramProtocol, ProcessProtocol, Protocol, ProtocolRef, ReadInto, StreamProtocol,
};
pub use stream::{
    AlreadyServed, Connect, Dial, Frames, InfoKey, LOCAL_ADDR, LOCAL_PATH, LimitsError, Listen,
    Memory, PEER_ADDR, PEER_PATH, Serve, Server, Stream, Tcp, TcpAddress, Transport, WriteError,
    WriteLimits, WriteState, connect, connect_with, memory, pair, serve, serve_with, stream, tcp,
};
#[cfg(unix)]
pub use stream::{
    Fifo, PEER_CREDENTIALS, PID, PIPE, PipeEnd, Unix, fifo, read_pipe, unix, write_pipe,
};
#[cfg(unix)]
pub use watch::{WatchHandle, WatchResult, WatchState, watch_readable, watch_writable};
