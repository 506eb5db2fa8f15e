//! The direction from the peer.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::conn::Conn;
use super::io::is_to_be_tried_again;
use crate::events::{AfterEof, DataReceived, EofReceived};
use crate::protocol::Occurred;

/// How much is read at a time, at most.
const ROOM: usize = 256 * 1024;

thread_local! {
    /// The one buffer of the thread, lent for the time of a read.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[derive(Default)]
pub(super) struct Input {
    paused: Cell<bool>,
    /// The peer has said that it sends no more.
    ended: Cell<bool>,
}

/// What came.
enum Read {
    Data {
        /// `None` if no listener hears it.
        data: Option<Bytes>,
        /// There is probably more.
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
        !self.is_closing() && !self.input.paused.get() && !self.input.ended.get()
    }

    pub(super) fn has_read_all(&self) -> bool {
        self.input.ended.get()
    }

    /// Delivers what has come, and waits for more.
    ///
    /// After a read that took what there was, the second one only waits, without a call of the operating system.
    pub(super) fn read(self: &Rc<Self>, cx: &mut Context<'_>) {
        for _ in 0..2 {
            if !self.is_reading() {
                return;
            }
            let Poll::Ready(read) = self.poll_read(cx) else {
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
                Ok(Read::End) => return self.end_of_input(),
                Err(error) if is_to_be_tried_again(&error) => break,
                Err(error) => return self.fail(error),
            }
        }
        // The others have their turn first.
        cx.waker().wake_by_ref();
    }

    fn end_of_input(self: &Rc<Self>) {
        self.input.ended.set(true);
        match self.tell(&Occurred::Eof(&EofReceived)) {
            AfterEof::Close => self.close(),
            AfterEof::KeepWriting => self.close_if_both_ended(),
        }
    }

    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<Read>> {
        let mut io = self.io.borrow_mut();
        let Some(io) = io.as_mut() else {
            return Poll::Pending;
        };
        let mut lent = Lent::new();
        let mut buffer = ReadBuf::new(&mut lent.0);
        let read = ready!(io.as_mut().poll_read(cx, &mut buffer));
        Poll::Ready(read.map(|()| {
            let is_full = buffer.remaining() == 0;
            match buffer.filled() {
                [] => Read::End,
                data => {
                    let is_heard = self.instance().hears(Occurred::DATA);
                    let data = is_heard.then(|| Bytes::copy_from_slice(data));
                    Read::Data { data, is_full }
                }
            }
        }))
    }
}

/// The thread's buffer, put back also after a panic of the stream's.
struct Lent(Vec<u8>);

impl Lent {
    fn new() -> Self {
        // A stream that reads from inside of a read has one of its own.
        let mut buffer = BUFFER.take();
        buffer.resize(ROOM, 0);
        Self(buffer)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // On a thread that ends there is nothing to put it back to.
        let _ = BUFFER.try_with(|buffer| buffer.set(std::mem::take(&mut self.0)));
    }
}
