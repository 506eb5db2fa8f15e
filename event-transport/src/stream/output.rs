//! The direction to the peer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};

use super::conn::Conn;
use super::info::Direction;
use super::io::{Io, is_to_be_tried_again};
use super::limits::WriteLimits;
use super::transport::{WriteError, WriteState};
use crate::life::{End, Stage};

/// How many pieces one call of the operating system takes.
const PIECES: usize = 64;

/// How far the end of the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Eof {
    No,
    Asked,
    Sent,
}

pub(super) struct Output {
    pieces: RefCell<VecDeque<Bytes>>,
    /// How many bytes wait.
    size: Cell<usize>,
    limits: Cell<WriteLimits>,
    pub(super) paused: Cell<bool>,
    /// Whether the protocol was told that writing is paused.
    pub(super) told: Cell<bool>,
    eof: Cell<Eof>,
    /// The stream has taken bytes and may hold them back.
    unflushed: Cell<bool>,
    /// What waits for the end of a handshake, while there is one.
    later: RefCell<Option<VecDeque<Bytes>>>,
}

impl Output {
    pub(super) fn new(limits: WriteLimits) -> Self {
        Self {
            pieces: RefCell::default(),
            size: Cell::new(0),
            limits: Cell::new(limits),
            paused: Cell::new(false),
            told: Cell::new(false),
            eof: Cell::new(Eof::No),
            unflushed: Cell::new(false),
            later: RefCell::new(None),
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size.get()
    }

    pub(super) fn limits(&self) -> WriteLimits {
        self.limits.get()
    }

    pub(super) fn discard(&self) {
        self.size.set(0);
        self.unflushed.set(false);
        let pieces = (self.pieces.take(), self.later.take());
        drop(pieces);
    }

    fn is_empty(&self) -> bool {
        self.size.get() == 0 && !self.unflushed.get()
    }

    /// Whether what is written can go out at once.
    fn is_idle(&self) -> bool {
        self.is_empty() && self.later.borrow().is_none()
    }

    /// Whether nothing is left of what may go out now.
    pub(super) fn is_drained(&self) -> bool {
        self.pieces.borrow().is_empty() && !self.unflushed.get()
    }

    fn push(&self, piece: Bytes) {
        if !piece.is_empty() {
            self.size.set(self.size.get() + piece.len());
            let mut later = self.later.borrow_mut();
            let mut pieces = self.pieces.borrow_mut();
            later.as_mut().unwrap_or(&mut pieces).push_back(piece);
        }
    }

    fn state(&self) -> WriteState {
        if self.paused.get() {
            WriteState::OverHigh
        } else if self.size.get() > 0 {
            WriteState::Buffered
        } else {
            WriteState::Sent
        }
    }

    /// Keeps back what is written from now on.
    #[cfg(feature = "tls")]
    pub(super) fn hold(&self) {
        self.later.borrow_mut().get_or_insert_default();
    }

    /// Lets go out what was kept back.
    #[cfg(feature = "tls")]
    pub(super) fn release(&self) {
        let later = self.later.take().unwrap_or_default();
        self.pieces.borrow_mut().extend(later);
    }

    /// Whether this direction has ended, or is to end before the other.
    #[cfg(feature = "tls")]
    pub(super) fn has_eof(&self) -> bool {
        self.eof.get() != Eof::No
    }

    /// Whether writing is to be paused now.
    fn weigh(&self) -> bool {
        let (size, limits) = (self.size.get(), self.limits.get());
        let paused = self.paused.get();
        size > limits.high_mark() || (paused && size > limits.low_mark())
    }
}

impl Conn {
    pub(super) fn write_piece(self: &Rc<Self>, mut piece: Bytes) -> Result<WriteState, WriteError> {
        self.check_writable()?;
        if self.output.is_idle() && !piece.is_empty() {
            let written = self.with_io(|mut io, cx| {
                while !piece.is_empty() {
                    let written = io.as_mut().poll_write(cx, &piece);
                    match taken(written, cx)? {
                        Some(count) => piece.advance(count),
                        None => return Ok(false),
                    }
                }
                poll_flush(io, cx)
            });
            self.flushed(written)?;
        }
        self.output.push(piece);
        self.weigh();
        Ok(self.output.state())
    }

    pub(super) fn write_pieces(
        self: &Rc<Self>,
        pieces: impl Iterator<Item = Bytes>,
    ) -> Result<WriteState, WriteError> {
        // The caller's code, which may close the connection, write to it, or panic.
        let pieces: Vec<Bytes> = pieces.collect();
        self.check_writable()?;
        let was_idle = self.output.is_idle();
        for piece in pieces {
            self.output.push(piece);
        }
        if was_idle && !self.output.is_empty() {
            self.write_buffered();
            if self.is_closing() {
                return Err(WriteError::Closed);
            }
        }
        self.weigh();
        Ok(self.output.state())
    }

    fn check_writable(&self) -> Result<(), WriteError> {
        if self.is_closing() {
            return Err(WriteError::Closed);
        }
        if self.direction == Direction::In {
            return Err(WriteError::ReadOnly);
        }
        if self.output.eof.get() != Eof::No {
            return Err(WriteError::WriteAfterEof);
        }
        Ok(())
    }

    /// Looks at what a flush has said.
    fn flushed(&self, flushed: Option<io::Result<bool>>) -> Result<(), WriteError> {
        match flushed {
            // The task writes what is pushed then, in its first step or the next one.
            None => self.wake(),
            Some(Ok(done)) => self.output.unflushed.set(!done),
            Some(Err(error)) => {
                self.fail(error);
                return Err(WriteError::Closed);
            }
        }
        Ok(())
    }

    /// Writes what waits, as far as the stream takes it.
    pub(super) fn write_buffered(self: &Rc<Self>) {
        if self.output.is_drained() {
            return;
        }
        // A stream's code may write again from inside of its write.
        let mut pieces = self.output.pieces.take();
        let mut count = 0;
        let written = self.with_io(|mut io, cx| {
            while !pieces.is_empty() {
                let written = poll_write(io.as_mut(), cx, &pieces);
                let Some(taken) = taken(written, cx)? else {
                    return Ok(false);
                };
                count += taken;
                advance(&mut pieces, taken);
            }
            poll_flush(io, cx)
        });
        let size = self.output.size.get().saturating_sub(count);
        self.output.size.set(size);
        let newer = self.output.pieces.take();
        pieces.extend(newer);
        drop(self.output.pieces.replace(pieces));
        // What it says was done with by ending the connection.
        let _ended = self.flushed(written);
        self.weigh();
    }

    /// Pauses or resumes writing, as the limits say, and tells the protocol as soon as it can be told.
    fn weigh(self: &Rc<Self>) {
        if self.is_aborted() {
            return;
        }
        let paused = self.output.weigh();
        if self.output.paused.replace(paused) != paused {
            if !paused {
                self.changed.notify_waiters();
            }
            self.catch_up();
        }
    }

    pub(super) fn set_limits(self: &Rc<Self>, limits: WriteLimits) {
        self.output.limits.set(limits);
        self.weigh();
    }

    pub(super) fn write_eof(&self) -> Result<(), WriteError> {
        if !self.is_closing() && self.output.eof.get() == Eof::No {
            if self.direction == Direction::In {
                return Err(WriteError::ReadOnly);
            }
            if !self.can_write_eof() {
                return Err(WriteError::NoHalfClose);
            }
            self.output.eof.set(Eof::Asked);
            self.wake();
        }
        Ok(())
    }

    /// Whether one direction can end before the other.
    pub(super) fn can_write_eof(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.is_there() {
            return false;
        }
        self.direction != Direction::In
    }

    /// Says that no more comes, when all is written and that was asked for.
    pub(super) fn send_eof(&self) {
        if self.output.eof.get() == Eof::Asked && self.output.is_empty() {
            match self.with_io(poll_shutdown) {
                Some(Poll::Ready(Ok(()))) => {
                    self.output.eof.set(Eof::Sent);
                    self.close_if_both_ended();
                }
                Some(Poll::Ready(Err(error))) => self.fail(error),
                Some(Poll::Pending) | None => {}
            }
        }
    }

    /// Nothing can come or go any more.
    pub(super) fn close_if_both_ended(&self) {
        let has_written_all = self.output.eof.get() == Eof::Sent || self.direction == Direction::In;
        if has_written_all && self.has_read_all() {
            self.close();
        }
    }

    /// Whether the stream of a closed connection can be let go.
    pub(super) fn is_written_out(self: &Rc<Self>) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.is_there() && self.is_overdue() {
            return false;
        }
        self.write_buffered();
        if !self.output.is_empty() || !matches!(*self.end.borrow(), Some(End::Closed)) {
            return false;
        }
        #[cfg(feature = "tls")]
        if self.tls.is_there() {
            return self.end_tls();
        }
        if !self.needs_shutdown {
            return true;
        }
        match self.with_io(poll_shutdown) {
            Some(Poll::Ready(Ok(()))) => true,
            Some(Poll::Ready(Err(error))) => {
                self.fail(error);
                false
            }
            Some(Poll::Pending) | None => false,
        }
    }

    /// Waits until writing is not paused.
    pub(super) async fn writable(&self) -> Result<(), WriteError> {
        loop {
            if self.is_lost() {
                return Err(WriteError::Closed);
            }
            if self.stage.get() == Stage::Made && !self.output.paused.get() {
                return self.check_writable();
            }
            self.changed.notified().await;
        }
    }
}

/// How many bytes the stream took; `None` if the task is woken when it takes more.
fn taken(written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> io::Result<Option<usize>> {
    match written {
        Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
        Poll::Ready(Ok(count)) => Ok(Some(count)),
        Poll::Ready(Err(error)) if is_to_be_tried_again(&error) => {
            cx.waker().wake_by_ref();
            Ok(None)
        }
        Poll::Ready(Err(error)) => Err(error),
        Poll::Pending => Ok(None),
    }
}

fn poll_write(
    io: Pin<&mut dyn Io>,
    cx: &mut Context<'_>,
    pieces: &VecDeque<Bytes>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); PIECES];
    let mut count = 0;
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        *slice = IoSlice::new(piece);
        count += 1;
    }
    io.poll_write_vectored(cx, &slices[..count])
}

/// Whether the stream holds nothing back.
fn poll_flush(io: Pin<&mut dyn Io>, cx: &mut Context<'_>) -> io::Result<bool> {
    match io.poll_flush(cx) {
        Poll::Ready(flushed) => flushed.map(|()| true),
        Poll::Pending => Ok(false),
    }
}

pub(super) fn poll_shutdown(io: Pin<&mut dyn Io>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    io.poll_shutdown(cx)
}

fn advance(pieces: &mut VecDeque<Bytes>, mut count: usize) {
    while let Some(first) = pieces.front_mut() {
        if count < first.len() {
            first.advance(count);
            return;
        }
        count -= first.len();
        pieces.pop_front();
    }
}
