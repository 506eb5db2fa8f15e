//! The descriptor of a pipe's end, read and written without blocking.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use super::info::Direction;
use super::nonblocking::Left;
use crate::level::level;

/// What a pipe holds where nothing else is said; the memory for more would be cleared for nothing.
const CAPACITY: usize = 64 * 1024;

/// A file that can be waited for.
pub(crate) struct PipeIo {
    fd: AsyncFd<File>,
    direction: Direction,
    /// Its other end can be seen to be closed.
    has_peer: bool,
    /// It may have blocked before.
    left: Left,
}

impl PipeIo {
    pub(crate) fn new(file: File, direction: Direction) -> io::Result<Self> {
        let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let kind = file.metadata()?.file_type();
        let has_peer = kind.is_fifo() || kind.is_socket();
        if !has_peer && !kind.is_char_device() {
            return refused(if kind.is_file() {
                "a regular file is no pipe, as it never waits: use `tokio::fs::File`"
            } else {
                "it is no pipe: it must be a FIFO, a character device or a socket"
            });
        }
        let flags = fcntl_getfl(&file)?;
        let mode = flags & OFlags::RWMODE;
        if direction == Direction::In && mode == OFlags::WRONLY {
            return refused("it is open for writing only: give it to `write_pipe`");
        }
        if direction == Direction::Out && mode == OFlags::RDONLY {
            return refused("it is open for reading only: give it to `read_pipe`");
        }
        let left = Left::begin(&file, flags)?;
        match registered(file, interest(direction)) {
            Ok(fd) => Ok(Self {
                fd,
                direction,
                has_peer,
                left,
            }),
            Err((file, error)) => {
                left.end(&file);
                if error.kind() == io::ErrorKind::PermissionDenied {
                    return refused("this device cannot be waited for");
                }
                Err(error)
            }
        }
    }

    /// Has the reactor look at it anew, which does not forget otherwise that the other end was closed.
    fn register_anew(&mut self) -> io::Result<()> {
        let same = self.fd.get_ref().try_clone()?;
        let fd = registered(same, interest(self.direction)).map_err(|(_, error)| error)?;
        self.fd = fd;
        Ok(())
    }
}

fn interest(direction: Direction) -> Interest {
    match direction {
        Direction::Out => Interest::WRITABLE,
        Direction::In | Direction::Both => Interest::READABLE,
    }
}

#[allow(
    deprecated,
    reason = "its follower is unsafe, for what might close the descriptor behind its back: a file does not"
)]
fn registered(file: File, interest: Interest) -> Result<AsyncFd<File>, (File, io::Error)> {
    AsyncFd::try_with_interest(file, interest).map_err(|error| {
        let (file, error) = error.into_parts();
        (file, error)
    })
}

impl Drop for PipeIo {
    fn drop(&mut self) {
        self.left.end(self.fd.get_ref());
    }
}

impl AsyncRead for PipeIo {
    /// For the writing end it is the end of the input when the reader has left.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.direction == Direction::Out {
            if !self.has_peer {
                return Poll::Pending;
            }
            loop {
                let mut ready = ready!(self.fd.poll_write_ready(cx))?;
                if ready.ready().is_write_closed() {
                    return Poll::Ready(Ok(()));
                }
                // A write is tried whether this says that there is room or not.
                ready.clear_ready();
            }
        }
        let this = self.get_mut();
        loop {
            let mut ready = ready!(this.fd.poll_read_ready(cx))?;
            // Others that have it open as well may have read from it since then, or have it block.
            if level(this.fd.get_ref(), PollFlags::IN)?.is_empty() {
                if ready.ready().is_read_closed() {
                    this.register_anew()?;
                } else {
                    ready.clear_ready();
                }
                continue;
            }
            let room = buffer.remaining().min(CAPACITY);
            let room = buffer.initialize_unfilled_to(room);
            match ready.try_io(|fd| fd.get_ref().read(room)) {
                Err(_not_ready) => {
                    // Somebody else was quicker.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // So the last one that had the other end of a terminal open is told to have left.
                Ok(Err(error))
                    if !this.has_peer && error.raw_os_error() == Some(Errno::IO.raw_os_error()) =>
                {
                    return Poll::Ready(Ok(()));
                }
                Ok(read) => return Poll::Ready(read.map(|count| buffer.advance(count))),
            }
        }
    }
}

impl AsyncWrite for PipeIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.fd.get_ref().write_vectored(data) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return Poll::Ready(written),
        }
        loop {
            let mut ready = ready!(this.fd.poll_write_ready(cx))?;
            let is_closed = ready.ready().is_write_closed();
            if let Ok(written) = ready.try_io(|fd| fd.get_ref().write_vectored(data)) {
                return Poll::Ready(written);
            }
            if is_closed {
                this.register_anew()?;
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Its end is that it is closed.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
