//! What drives a process: one task of the loop.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use event_runtime::event_loop::{Cancelled, JoinHandle, LoopError};

use super::state::State;
use crate::life::{End, Stage};
use crate::stream::Transport;

struct Drive {
    state: Rc<State>,
    /// The loop asks its tasks to end.
    cancelled: Option<Cancelled>,
}

impl State {
    /// Starts its task, and then those of its pipes: what is said of these in the first event holds before they are read.
    pub(super) fn start(self: &Rc<Self>) -> Result<(), LoopError> {
        let drive = Drive {
            state: Rc::clone(self),
            cancelled: None,
        };
        let lp = &self.life.lp;
        lp.spawn(drive).map(JoinHandle::<()>::detach)?;
        self.pipes().try_for_each(Transport::start)
    }

    fn step(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.life.stage.get() == Stage::New {
            self.made();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.look(cx);
        self.end(cx);
        if self.tell_next() {
            // The others have their turn first.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.is_over() {
            return Poll::Pending;
        }
        let end = self.life.end.borrow().clone();
        self.lose(match end {
            Some(End::Aborted(error)) => error,
            Some(End::Closed) | None => None,
        });
        Poll::Ready(())
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let life = &this.state.life;
        life.keep_waker(cx.waker());
        let cancelled = this.cancelled.get_or_insert_with(|| life.lp.cancelled());
        if Pin::new(cancelled).poll(cx).is_ready() {
            life.close();
        }
        this.state.step(cx)
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.state.dropped();
    }
}
