//! Connections inside of the program, which need no I/O and so also work in virtual time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};

use super::info::Info;
use super::io::{Acceptor, Binding, Dial, Dialing, Link, Listen, sealed};
use crate::error::TransportError;

/// How many bytes may be on their way in one direction.
const ROOM: usize = 64 * 1024;

/// Something to connect to that is there already: what [`stream`] and [`pair`] give.
pub struct Stream(Link);

/// Any stream of tokio's as a connection: a pipe, one that compresses, one of a test. It is shut down before the connection is lost.
pub fn stream(io: impl AsyncRead + AsyncWrite + 'static) -> Stream {
    Stream(Link::new(io, Info::default(), true))
}

/// Both ends of a connection inside of the program, for one loop or for two in one thread.
pub fn pair() -> (Stream, Stream) {
    let (ours, theirs) = duplex(ROOM);
    let end = |io: DuplexStream| Stream(Link::new(io, Info::default(), false));
    (end(ours), end(theirs))
}

impl Dial for Stream {}

impl sealed::Dial for Stream {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn dial(self) -> Dialing {
        Box::pin(async { Ok(self.0) })
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

/// A place inside of the program where a server listens and to which clients connect. A clone is the same place.
///
/// ```
/// use tidings::transport::{DataReceived, Transport, connect, memory, serve};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Once;
///
/// #[protocol]
/// impl Once {
///     #[listener]
///     fn data(_: &DataReceived, t: &Transport) {
///         t.close();
///     }
/// }
///
/// let lp = EventLoop::virtual_time();
/// lp.run_until_complete(async {
///     let place = memory();
///     let server = serve::<Once>(&lp, place.clone()).await?;
///     let (transport, _) = connect::<Once>(&lp, place).await?;
///     transport.write("that is all")?;
///     transport.wait_closed().await;
///     assert!(server.is_listening());
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Memory(Rc<Place>);

/// See [`Memory`].
pub fn memory() -> Memory {
    Memory::default()
}

#[derive(Default)]
struct Place {
    waiting: RefCell<VecDeque<Link>>,
    is_open: Cell<bool>,
    server: RefCell<Option<Waker>>,
}

impl Dial for Memory {}

impl sealed::Dial for Memory {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn dial(self) -> Dialing {
        Box::pin(async move {
            if !self.0.is_open.get() {
                let error = io::ErrorKind::ConnectionRefused.into();
                return Err(TransportError::connect(vec![("memory".to_owned(), error)]));
            }
            let (ours, theirs) = pair();
            self.0.waiting.borrow_mut().push_back(theirs.0);
            if let Some(waker) = self.0.server.take() {
                waker.wake();
            }
            Ok(ours.0)
        })
    }
}

impl Listen for Memory {}

impl sealed::Listen for Memory {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn bind(self) -> Binding {
        Box::pin(async move {
            if self.0.is_open.replace(true) {
                let error = io::ErrorKind::AddrInUse.into();
                return Err(TransportError::bind("memory", error));
            }
            Ok(vec![Box::new(Open(self.0)) as Box<dyn Acceptor>])
        })
    }
}

/// A server listens.
struct Open(Rc<Place>);

impl Acceptor for Open {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        if let Some(link) = self.0.waiting.borrow_mut().pop_front() {
            return Poll::Ready(Ok(link));
        }
        drop(self.0.server.replace(Some(cx.waker().clone())));
        Poll::Pending
    }

    fn info(&self) -> Info {
        Info::default()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.is_open.set(false);
        let left = (self.0.waiting.take(), self.0.server.take());
        drop(left);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} waiting)", self.0.waiting.borrow().len())
    }
}
