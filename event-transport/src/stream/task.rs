//! What drives a connection: one task of the loop.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use event_runtime::event_loop::{Cancelled, JoinHandle, LoopError};

use super::conn::Conn;
use crate::error::ConnectionError;
use crate::life::{End, Stage};

struct Drive {
    conn: Rc<Conn>,
    /// The loop asks its tasks to end.
    cancelled: Option<Cancelled>,
}

impl Conn {
    /// Starts the connection's task.
    pub(super) fn start(self: &Rc<Self>) -> Result<(), LoopError> {
        let drive = Drive {
            conn: Rc::clone(self),
            cancelled: None,
        };
        self.lp.spawn(drive).map(JoinHandle::<()>::detach)
    }

    fn step(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        #[cfg(feature = "tls")]
        match self.shake_hands(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(true) => {}
            Poll::Ready(false) => {
                self.lose_in_handshake();
                return Poll::Ready(());
            }
        }
        if self.stage.get() == Stage::New {
            self.made();
            // Reading begins in a step of its own, behind what waits for the connection.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let end = self.end.borrow().clone();
        match end {
            None => {
                self.write_buffered();
                self.send_eof();
                self.read(cx);
                Poll::Pending
            }
            Some(End::Closed) if !self.is_written_out() => Poll::Pending,
            Some(End::Closed) => {
                self.lose(None);
                Poll::Ready(())
            }
            Some(End::Aborted(error)) => {
                self.lose(error);
                Poll::Ready(())
            }
        }
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.conn.keep_waker(cx.waker());
        let lp = &this.conn.lp;
        let cancelled = this.cancelled.get_or_insert_with(|| lp.cancelled());
        if Pin::new(cancelled).poll(cx).is_ready() {
            this.conn.close();
        }
        this.conn.step(cx)
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if !self.conn.is_lost() {
            self.conn.lose(Some(ConnectionError::dropped()));
        }
    }
}
