//! What datagram endpoints are made of.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::addr::DatagramAddr;
use crate::error::TransportError;
use crate::stream::Info;

/// Datagrams in both directions.
pub(crate) trait Socket {
    /// Fills the buffer with one datagram.
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<DatagramAddr>>;

    /// Sends one datagram: to `to`, which is of the right kind, or without it to the peer of a connected socket.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &Bytes,
        to: Option<&DatagramAddr>,
    ) -> Poll<io::Result<()>>;

    /// Whether something can be sent to an address of this kind.
    fn takes(&self, to: &DatagramAddr) -> bool;

    /// The size of the largest datagram, if that is known.
    fn limit(&self) -> Option<usize>;
}

/// An endpoint that nothing was done with yet.
pub(crate) struct Link {
    pub(crate) socket: Box<dyn Socket>,
    pub(crate) info: Info,
    /// Where everything goes and comes from, if it is connected.
    pub(crate) peer: Option<DatagramAddr>,
}

pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Link, TransportError>>>>;

/// What datagrams go through: [`udp`](crate::udp), `unix_datagram`, or one end of a [`datagram_pair`](crate::datagram_pair).
#[diagnostic::on_unimplemented(
    message = "there is no datagram endpoint at `{Self}`",
    label = "no place for datagrams",
    note = "write `udp(\"127.0.0.1:0\")`, `unix_datagram(\"path\")` or an end of a `datagram_pair()`"
)]
pub trait Datagrams: sealed::Datagrams {}

pub(crate) mod sealed {
    pub trait Datagrams {
        #[doc(hidden)]
        #[expect(private_interfaces, reason = "only this package calls it")]
        fn open(self) -> super::Opening;
    }
}
