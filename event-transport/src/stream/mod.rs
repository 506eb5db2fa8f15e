//! Streams: connections that carry bytes in order, in both directions.
//!
//! `conn` is the state of one connection, `input` and `output` its two directions, `task` what drives them; `transport` is what a protocol sees of it.
//! `accept` is what a server does. `connect` and `serve` make connections out of what `tcp`, `unix` and `memory` give.

mod accept;
mod conn;
mod connect;
mod endpoint;
mod eyeballs;
mod frames;
mod info;
mod input;
mod io;
mod limits;
mod memory;
#[cfg(unix)]
mod nonblocking;
mod output;
#[cfg(unix)]
mod pipe;
#[cfg(unix)]
mod pipe_io;
mod resolve;
#[cfg(feature = "tls")]
mod secure;
mod serve;
mod server;
mod task;
mod tcp;
mod transport;
#[cfg(unix)]
mod unix;

#[cfg(feature = "wire")]
pub(crate) use accept::is_of_the_peer;
#[cfg(unix)]
pub(crate) use conn::Conn;
pub use connect::{Connect, connect, connect_with};
pub(crate) use endpoint::Plan;
pub use frames::Frames;
#[cfg(unix)]
pub(crate) use info::Direction;
pub(crate) use info::Info;
pub use info::{InfoKey, LOCAL_ADDR, LOCAL_PATH, PEER_ADDR, PEER_PATH};
#[cfg(unix)]
pub use info::{PEER_CREDENTIALS, PID, PIPE};
pub(crate) use input::Lent;
#[cfg(feature = "tls")]
pub(crate) use io::{Acceptor, Binding, Dialing, Io, Link, sealed};
pub use io::{Dial, Listen};
pub(crate) use io::{check_reactor, is_to_be_tried_again};
pub use limits::{LimitsError, WriteLimits};
pub use memory::{Memory, Stream, memory, pair, stream};
#[cfg(unix)]
pub(crate) use pipe::link as pipe_link;
#[cfg(unix)]
pub use pipe::{Fifo, PipeEnd, fifo, read_pipe, write_pipe};
#[cfg(unix)]
pub(crate) use pipe_io::PipeIo;
pub(crate) use resolve::Hosts;
#[cfg(feature = "tls")]
pub(crate) use secure::Outcome;
pub use serve::{Serve, serve, serve_with};
pub use server::{AlreadyServed, Server};
pub use tcp::{Tcp, TcpAddress, tcp};
pub use transport::{Transport, WriteError, WriteState};
#[cfg(unix)]
pub(crate) use unix::{SocketFile, is_stale_socket, no_socket};
#[cfg(unix)]
pub use unix::{Unix, unix};
