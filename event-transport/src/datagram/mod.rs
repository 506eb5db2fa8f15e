//! Datagrams: messages that arrive whole, in any order, or not at all.
//!
//! `state` is one endpoint with the task that drives it, `input` and `output` its two directions; `transport` is what a protocol sees of it. `endpoint`
//! opens what `udp`, `unix` and `memory` give.

mod addr;
mod endpoint;
mod error;
mod input;
mod memory;
mod output;
mod socket;
mod state;
#[cfg(test)]
mod tests;
mod transport;
mod udp;
#[cfg(unix)]
mod unix;

pub use addr::DatagramAddr;
pub use endpoint::{OpenEndpoint, endpoint, endpoint_with};
pub use error::SendError;
pub use memory::{DatagramEnd, datagram_pair};
pub use socket::Datagrams;
pub use transport::DatagramTransport;
pub use udp::{Udp, UdpAddress, udp};
#[cfg(unix)]
pub use unix::{UnixDatagram, unix_datagram};

/// How many bytes a datagram that waits counts beside its own, so that empty ones count too.
const OVERHEAD: usize = 8;
