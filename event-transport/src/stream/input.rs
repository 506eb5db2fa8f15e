//! The direction from the peer.

use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::ReadBuf;
use tokio_util::io::poll_read_buf;

use super::conn::Conn;
use super::info::Direction;
use super::io::is_to_be_tried_again;
use crate::events::{AfterEof, BufferFilled, DataReceived, EofReceived};
use crate::protocol::Occurred;

/// How much is read at a time, at most.
const ROOM: usize = 256 * 1024;

/// How much can be read at a time, at least.
const LEAST_ROOM: usize = ROOM / 2;

/// A read of so many bytes leaves with its part of the buffer; a copy would cost more than it saves. Smaller ones are copied, so that who keeps a few bytes
/// does not keep the whole buffer.
const LARGE: usize = ROOM / 8;

/// The buffer begins at the beginning of a page, as what the system copies into it often does: processors copy slowly to a place that is a few bytes
/// further in its page than where it comes from. That doubled the cost of a message of 100 KiB.
const PAGE: usize = 4096;

thread_local! {
    /// The one buffer of the thread, lent for the time of a read.
    static BUFFER: Cell<BytesMut> = Cell::new(BytesMut::new());
}

#[derive(Default)]
pub(super) struct Input {
    paused: Cell<bool>,
    /// The peer has said that it sends no more.
    ended: Cell<bool>,
    /// The end of a pipe was read, and the protocol hears so in an item of its own.
    end_is_due: Cell<bool>,
    /// What was read last is not dealt with yet by who wants it in order with other things.
    held: Cell<bool>,
}

/// What came.
enum Read {
    Data {
        /// `None` if no listener hears it.
        data: Option<Bytes>,
        /// There is probably more.
        is_full: bool,
    },
    /// The same, in memory of the protocol.
    Filled {
        bytes: usize,
        is_full: bool,
    },
    End,
}

impl Conn {
    pub(super) fn pause_reading(&self) {
        if !self.is_closing() {
            self.input.paused.set(true);
        }
    }

    pub(super) fn resume_reading(&self) {
        if !self.is_closing() && self.input.paused.replace(false) {
            self.wake();
        }
    }

    /// Whether bytes of the peer are wanted.
    pub(super) fn is_reading(&self) -> bool {
        !self.is_closing()
            && !self.input.paused.get()
            && !self.input.ended.get()
            && self.direction != Direction::Out
    }

    pub(super) fn has_read_all(&self) -> bool {
        self.input.ended.get() || self.direction == Direction::Out
    }

    /// Reads nothing until `false` is said, whether the user pauses or not.
    #[cfg(unix)]
    pub(crate) fn hold_reading(&self, held: bool) {
        if self.input.held.replace(held) && !held {
            self.wake();
        }
    }

    /// Delivers what has come, and waits for more.
    ///
    /// After a read that took what there was, the second one only waits, without a call of the operating system.
    pub(super) fn read(self: &Rc<Self>, cx: &mut Context<'_>) {
        if self.direction == Direction::Out {
            return self.look_for_reader(cx);
        }
        for _ in 0..2 {
            if !self.is_reading() || self.input.held.get() {
                return;
            }
            // A listener has begun TLS just now: what comes belongs to its handshake.
            #[cfg(feature = "tls")]
            if !self.is_ready() {
                break;
            }
            if self.input.end_is_due.get() {
                return self.end_of_input();
            }
            let read = if self.instance().hears(Occurred::FILLED) {
                self.poll_read_into(cx)
            } else {
                self.poll_read(cx)
            };
            let Poll::Ready(read) = read else {
                return;
            };
            match read {
                Ok(Read::Data { data, is_full }) => {
                    if let Some(data) = data {
                        self.tell(&Occurred::Data(&DataReceived { data }));
                    }
                    if is_full {
                        break;
                    }
                }
                Ok(Read::Filled { bytes, is_full }) => {
                    self.tell(&Occurred::Filled(&BufferFilled { bytes }));
                    if is_full {
                        break;
                    }
                }
                Ok(Read::End) if self.direction == Direction::In => {
                    self.input.end_is_due.set(true);
                    break;
                }
                Ok(Read::End) => return self.end_of_input(),
                Err(error) if is_to_be_tried_again(&error) => break,
                Err(error) => return self.fail(error),
            }
        }
        // The others have their turn first.
        cx.waker().wake_by_ref();
    }

    /// At the writing end of a pipe the only thing to read is that the reader has left.
    fn look_for_reader(&self, cx: &mut Context<'_>) {
        if self.is_closing() || self.poll_read(cx).is_pending() {
            return;
        }
        if self.output.size() == 0 {
            self.close();
        } else {
            self.fail(io::ErrorKind::BrokenPipe.into());
        }
    }

    fn end_of_input(self: &Rc<Self>) {
        self.input.ended.set(true);
        match self.tell(&Occurred::Eof(&EofReceived)) {
            AfterEof::Close => self.close(),
            #[cfg(feature = "tls")]
            AfterEof::KeepWriting if !self.can_write_eof() => self.close_in_spite(),
            AfterEof::KeepWriting => self.close_if_both_ended(),
        }
    }

    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<Read>> {
        let mut io = self.io.borrow_mut();
        let Some(io) = io.as_mut() else {
            return Poll::Pending;
        };
        let mut lent = Lent::new();
        let room = lent.0.capacity().min(ROOM);
        let read = poll_read_buf(io.as_mut(), cx, &mut (&mut lent.0).limit(room));
        let read = ready!(read);
        Poll::Ready(read.map(|count| {
            if count == 0 {
                return Read::End;
            }
            let is_full = count == room;
            let is_heard = self.instance().hears(Occurred::DATA);
            let data = is_heard.then(|| lent.take());
            Read::Data { data, is_full }
        }))
    }
}

#[cfg(feature = "tls")]
impl Conn {
    /// Reads what nobody wants. Whether there was anything; if not, the peer has ended.
    pub(super) fn poll_skip(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut io = self.io.borrow_mut();
        let Some(io) = io.as_mut() else {
            return Poll::Pending;
        };
        let mut lent = Lent::new();
        let count = ready!(poll_read_buf(io.as_mut(), cx, &mut lent.0))?;
        Poll::Ready(Ok(count > 0))
    }
}

impl Conn {
    fn poll_read_into(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<io::Result<Read>> {
        let mut read = Poll::Pending;
        let is_lent = self.lend(&mut |room| {
            // The protocol has begun TLS as it was asked for its memory.
            #[cfg(feature = "tls")]
            if !self.is_ready() {
                return;
            }
            let mut io = self.io.borrow_mut();
            let Some(io) = io.as_mut() else {
                return;
            };
            let mut buffer = ReadBuf::new(room);
            let polled = io.as_mut().poll_read(cx, &mut buffer);
            let is_full = buffer.remaining() == 0;
            read = polled.map_ok(|()| match buffer.filled().len() {
                0 => Read::End,
                bytes => Read::Filled { bytes, is_full },
            });
        });
        if !is_lent {
            // The instance is in use, or the connection ends.
            cx.waker().wake_by_ref();
        }
        read
    }
}

/// The thread's buffer, put back also after a panic of the stream's.
pub(crate) struct Lent(BytesMut);

impl Lent {
    fn new() -> Self {
        Self::with(LEAST_ROOM)
    }

    /// With room for the largest read.
    pub(crate) fn large() -> Self {
        Self::with(ROOM)
    }

    fn with(room: usize) -> Self {
        // A stream that reads from inside of a read has one of its own.
        let mut buffer = BUFFER.take();
        if buffer.capacity() < room {
            // What nobody holds any more is used again.
            buffer.reserve(ROOM + PAGE);
            let offset = buffer.as_ptr().align_offset(PAGE);
            buffer.resize(offset.min(PAGE), 0);
            buffer.advance(offset.min(PAGE));
        }
        Self(buffer)
    }

    /// Room for the largest read.
    pub(crate) fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        let room = self.0.spare_capacity_mut();
        let length = room.len().min(ROOM);
        &mut room[..length]
    }

    fn take(&mut self) -> Bytes {
        if self.0.len() < LARGE {
            Bytes::copy_from_slice(&self.0)
        } else {
            self.0.split().freeze()
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.clear();
        // On a thread that ends there is nothing to put it back to.
        let _ = BUFFER.try_with(|buffer| buffer.set(std::mem::take(&mut self.0)));
    }
}
