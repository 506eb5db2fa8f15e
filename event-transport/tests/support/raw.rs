//! A stream whose every answer the test decides.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the test sees and says of a stream.
#[derive(Default)]
pub(crate) struct State {
    /// What reads give, one after the other.
    pub(crate) reads: VecDeque<io::Result<Vec<u8>>>,
    /// How many bytes writes take; what comes behind them waits.
    pub(crate) room: usize,
    /// How many bytes one write takes at most.
    pub(crate) at_a_time: Option<usize>,
    /// What the next write fails with.
    pub(crate) write_error: Option<io::Error>,
    pub(crate) written: Vec<u8>,
    /// The sizes of the writes.
    pub(crate) writes: Vec<usize>,
    pub(crate) flushes: usize,
    pub(crate) is_shut_down: bool,
    pub(crate) is_dropped: bool,
    waker: Option<Waker>,
}

/// The stream's other end.
#[derive(Clone, Default)]
pub(crate) struct Script(Rc<RefCell<State>>);

pub(crate) struct Raw(Rc<RefCell<State>>);

/// A stream that takes so many bytes, and gives nothing yet.
#[must_use]
pub(crate) fn raw(room: usize) -> (Raw, Script) {
    let script = Script::default();
    script.with(|state| state.room = room);
    (Raw(Rc::clone(&script.0)), script)
}

impl Script {
    /// Looks at it or changes it, and has the task look again.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.0.borrow_mut();
        let result = f(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    pub(crate) fn read(&self, bytes: &[u8]) {
        self.with(|state| state.reads.push_back(Ok(bytes.to_vec())));
    }

    #[must_use]
    pub(crate) fn written(&self) -> Vec<u8> {
        self.0.borrow().written.clone()
    }

    #[must_use]
    pub(crate) fn is_dropped(&self) -> bool {
        self.0.borrow().is_dropped
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.0.borrow_mut().is_dropped = true;
    }
}

impl AsyncRead for Raw {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.borrow_mut();
        match state.reads.pop_front() {
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(Err(error)) => Poll::Ready(Err(error)),
            Some(Ok(mut bytes)) => {
                let rest = bytes.split_off(bytes.len().min(buffer.remaining()));
                buffer.put_slice(&bytes);
                if !rest.is_empty() {
                    state.reads.push_front(Ok(rest));
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Raw {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.borrow_mut();
        if let Some(error) = state.write_error.take() {
            return Poll::Ready(Err(error));
        }
        let limit = state.at_a_time.unwrap_or(usize::MAX).min(state.room);
        let mut count = 0;
        for piece in pieces {
            let taken = piece.len().min(limit - count);
            state.written.extend_from_slice(&piece[..taken]);
            count += taken;
        }
        if count == 0 {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.room -= count;
        state.writes.push(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().is_shut_down = true;
        Poll::Ready(Ok(()))
    }
}
