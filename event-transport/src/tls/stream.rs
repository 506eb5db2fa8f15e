//! Streams with TLS, and what is laid below them.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::error::{TlsError, TlsErrorKind};
use super::why::why;
use crate::stream::Io;

type Stream = TlsStream<Pin<Box<dyn Io>>>;

/// A stream with TLS, and who asks its session for keys. Nothing is borrowed while anybody waits.
#[derive(Clone)]
pub(crate) struct Secure(Rc<RefCell<Stream>>);

impl Secure {
    pub(crate) fn new(stream: Stream) -> Self {
        Self(Rc::new(RefCell::new(stream)))
    }

    fn with<R>(&self, f: impl FnOnce(Pin<&mut Stream>) -> R) -> R {
        f(Pin::new(&mut *self.0.borrow_mut()))
    }

    pub(crate) fn export(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        bytes: usize,
    ) -> Result<Vec<u8>, TlsError> {
        // Only the code of a stream of the user's can find it in use.
        let stream = self.0.try_borrow().map_err(|_| {
            let message = "the stream under the TLS asks for its keys while it is in use";
            TlsError::new(TlsErrorKind::Refused, message)
        })?;
        let keys = vec![0; bytes];
        let keys = match &*stream {
            TlsStream::Client(stream) => {
                let (_, session) = stream.get_ref();
                session.export_keying_material(keys, label, context)
            }
            TlsStream::Server(stream) => {
                let (_, session) = stream.get_ref();
                session.export_keying_material(keys, label, context)
            }
        };
        keys.map_err(|error| {
            let message = format!("TLS exports no {bytes} bytes for this label and context");
            TlsError::new(TlsErrorKind::Refused, message).because(error)
        })
    }
}

impl AsyncRead for Secure {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.with(|stream| stream.poll_read(cx, buffer));
        read.map_err(|error| why(error, None))
    }
}

impl AsyncWrite for Secure {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write_vectored(cx, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

/// How much is read at a time, at most. rustls asks for 4 KiB, which would be many calls of the operating system.
const ROOM: usize = 64 * 1024;

thread_local! {
    /// The room of the thread, in use for the time of a read.
    static READ: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream of which more is read than was asked for.
pub(crate) struct ReadAhead {
    /// What was read and not asked for yet.
    ahead: Bytes,
    io: Pin<Box<dyn Io>>,
}

impl ReadAhead {
    /// `ahead` was read by somebody else.
    pub(crate) fn new(ahead: Bytes, io: Pin<Box<dyn Io>>) -> Self {
        Self { ahead, io }
    }

    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead[..count]);
        self.ahead.advance(count);
    }
}

impl AsyncRead for ReadAhead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            self.give(buffer);
            return Poll::Ready(Ok(()));
        }
        if buffer.remaining() >= ROOM {
            return self.io.as_mut().poll_read(cx, buffer);
        }
        // TLS over TLS reads from inside of a read, with a room of its own.
        let mut room = READ.take();
        room.resize(ROOM, 0);
        let mut read = ReadBuf::new(&mut room);
        let polled = self.io.as_mut().poll_read(cx, &mut read);
        let (now, later) = {
            let read = read.filled();
            read.split_at(read.len().min(buffer.remaining()))
        };
        buffer.put_slice(now);
        self.ahead = Bytes::copy_from_slice(later);
        READ.set(room);
        polled
    }
}

impl AsyncWrite for ReadAhead {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_shutdown(cx)
    }
}
