//! Datagrams inside of the program, which need no I/O and so also work in virtual time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::OVERHEAD;
use super::addr::DatagramAddr;
use super::socket::{Datagrams, Link, Opening, Socket, sealed};
use crate::stream::Info;

/// How many bytes may be on their way in one direction, each datagram with its overhead.
const ROOM: usize = 64 * 1024;

/// As large as the largest of UDP.
const LARGEST: usize = 65_507;

/// One end of a [`datagram_pair`].
pub struct DatagramEnd(End);

/// Both ends of a datagram connection inside of the program, for one loop or for two in one thread.
///
/// It loses nothing and keeps the order: what the other end has no room for waits to be sent. What is sent to an end that is gone is refused, as
/// [`ErrorReceived`](crate::ErrorReceived) says.
///
/// ```
/// use tidings::transport::{DatagramReceived, DatagramTransport, datagram_pair, endpoint};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Lengths(Vec<usize>);
///
/// #[protocol]
/// impl Lengths {
///     #[listener]
///     fn datagram(&mut self, e: &DatagramReceived, t: &DatagramTransport) {
///         self.0.push(e.data.len());
///         if self.0.len() == 3 {
///             t.close();
///         }
///     }
/// }
///
/// let lp = EventLoop::virtual_time();
/// let (ours, theirs) = datagram_pair();
/// let lengths = lp.run_until_complete(async {
///     let (sender, _) = endpoint::<Lengths>(&lp, ours).await?;
///     let (receiver, lengths) = endpoint::<Lengths>(&lp, theirs).await?;
///     for data in ["three", "whole", ""] {
///         sender.send(data)?;
///     }
///     receiver.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(lengths.with(|lengths| lengths.0.clone())?)
/// })??;
/// assert_eq!(lengths, [5, 5, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn datagram_pair() -> (DatagramEnd, DatagramEnd) {
    let (ours, theirs) = (Rc::<Inbox>::default(), Rc::<Inbox>::default());
    let end = |own: &Rc<Inbox>, peer: &Rc<Inbox>| {
        DatagramEnd(End {
            own: Rc::clone(own),
            peer: Rc::downgrade(peer),
        })
    };
    (end(&ours, &theirs), end(&theirs, &ours))
}

/// What one end has not received yet.
#[derive(Default)]
struct Inbox {
    waiting: RefCell<VecDeque<Bytes>>,
    size: Cell<usize>,
    receiver: RefCell<Option<Waker>>,
    sender: RefCell<Option<Waker>>,
}

impl Inbox {
    fn has_room(&self, size: usize) -> bool {
        self.size.get() == 0 || self.size.get() + size <= ROOM
    }
}

fn wake(waker: &RefCell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

struct End {
    own: Rc<Inbox>,
    peer: Weak<Inbox>,
}

impl Socket for End {
    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<DatagramAddr>> {
        let Some(data) = self.own.waiting.borrow_mut().pop_front() else {
            drop(self.own.receiver.replace(Some(cx.waker().clone())));
            return Poll::Pending;
        };
        self.own
            .size
            .set(self.own.size.get() - data.len() - OVERHEAD);
        wake(&self.own.sender);
        buffer.put_slice(&data);
        Poll::Ready(Ok(DatagramAddr::Unnamed))
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &Bytes,
        _: Option<&DatagramAddr>,
    ) -> Poll<io::Result<()>> {
        let Some(peer) = self.peer.upgrade() else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()));
        };
        let size = data.len() + OVERHEAD;
        if !peer.has_room(size) {
            drop(peer.sender.replace(Some(cx.waker().clone())));
            return Poll::Pending;
        }
        peer.size.set(peer.size.get() + size);
        let data = Bytes::copy_from_slice(data);
        peer.waiting.borrow_mut().push_back(data);
        wake(&peer.receiver);
        Poll::Ready(Ok(()))
    }

    fn takes(&self, _: &DatagramAddr) -> bool {
        false
    }

    fn limit(&self) -> Option<usize> {
        Some(LARGEST)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // Whoever waits for room here is told that there will be none.
        wake(&self.own.sender);
    }
}

impl Datagrams for DatagramEnd {}

impl sealed::Datagrams for DatagramEnd {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn open(self) -> Opening {
        Box::pin(async move {
            Ok(Link {
                socket: Box::new(self.0),
                info: Info::default(),
                peer: Some(DatagramAddr::Unnamed),
            })
        })
    }
}

impl fmt::Debug for DatagramEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatagramEnd")
    }
}
