//! The connections of [`tidings`](https://docs.rs/tidings): transports, which move bytes, and protocols, which say what they mean.
//!
//! What a connection does are events, and a protocol is a set of listeners: one instance for each connection, whose methods hear what happens to it.
//! [`serve`] accepts connections, [`connect`] makes one; both are run by an [`EventLoop`](event_runtime::event_loop::EventLoop), each connection as one
//! task.
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
mod declared;
mod error;
mod events;
#[doc(hidden)]
pub mod private;
mod protocol;
mod stream;
#[cfg(feature = "wire")]
pub mod wire;

pub use connection::{Connection, Side};
pub use error::{ConnectionError, ConnectionErrorKind, TransportError, TransportErrorKind};
pub use events::{
    AfterEof, ConnectionLost, ConnectionMade, DataReceived, EofReceived, WritingPaused,
    WritingResumed,
};
pub use protocol::{Busy, Protocol, ProtocolRef};
pub use stream::{
    AlreadyServed, Connect, Dial, InfoKey, LOCAL_ADDR, LOCAL_PATH, LimitsError, Listen, Memory,
    PEER_ADDR, PEER_PATH, Serve, Server, Stream, Tcp, TcpAddress, Transport, WriteError,
    WriteLimits, WriteState, connect, connect_with, memory, pair, serve, serve_with, stream, tcp,
};
#[cfg(unix)]
pub use stream::{PEER_CREDENTIALS, Unix, unix};
