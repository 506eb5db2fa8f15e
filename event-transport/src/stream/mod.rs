//! Streams: connections that carry bytes in order, in both directions.
//!
//! `conn` is the state of one connection, `input` and `output` its two directions, `task` what drives them; `transport` is what a protocol sees of it.
//! `accept` is what a server does. `connect` and `serve` make connections out of what `tcp`, `unix` and `memory` give.

mod accept;
mod conn;
mod connect;
mod endpoint;
mod info;
mod input;
mod io;
mod limits;
mod memory;
mod output;
mod resolve;
mod serve;
mod server;
mod task;
mod tcp;
mod transport;
#[cfg(unix)]
mod unix;

pub(crate) use conn::Conn;
pub use connect::{Connect, connect, connect_with};
pub(crate) use info::Info;
#[cfg(unix)]
pub use info::PEER_CREDENTIALS;
pub use info::{InfoKey, LOCAL_ADDR, LOCAL_PATH, PEER_ADDR, PEER_PATH};
pub use io::{Dial, Listen};
pub use limits::{LimitsError, WriteLimits};
pub use memory::{Memory, Stream, memory, pair, stream};
pub use serve::{Serve, serve, serve_with};
pub use server::{AlreadyServed, Server};
pub use tcp::{Tcp, TcpAddress, tcp};
pub use transport::{Transport, WriteError, WriteState};
#[cfg(unix)]
pub use unix::{Unix, unix};
