//! The direction to the others.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;

use super::OVERHEAD;
use super::addr::DatagramAddr;
use super::error::{SendError, Unsent};
use super::state::State;
use crate::error::ConnectionError;
use crate::life::Stage;
use crate::stream::{WriteLimits, WriteState, is_to_be_tried_again};

struct Waiting {
    data: Bytes,
    to: Option<DatagramAddr>,
}

impl Waiting {
    fn size(&self) -> usize {
        self.data.len() + OVERHEAD
    }
}

pub(super) struct Output {
    waiting: RefCell<VecDeque<Waiting>>,
    /// How many bytes wait, with the overhead.
    size: Cell<usize>,
    limits: Cell<WriteLimits>,
    pub(super) paused: Cell<bool>,
    /// Whether the protocol was told that sending is paused.
    pub(super) told: Cell<bool>,
}

impl Output {
    pub(super) fn new(limits: WriteLimits) -> Self {
        Self {
            waiting: RefCell::default(),
            size: Cell::new(0),
            limits: Cell::new(limits),
            paused: Cell::new(false),
            told: Cell::new(false),
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size.get()
    }

    pub(super) fn limits(&self) -> WriteLimits {
        self.limits.get()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.size.get() == 0
    }

    pub(super) fn discard(&self) {
        self.size.set(0);
        let waiting = self.waiting.take();
        drop(waiting);
    }

    fn push(&self, datagram: Waiting) {
        self.size.set(self.size.get() + datagram.size());
        self.waiting.borrow_mut().push_back(datagram);
    }

    fn pop(&self) -> Option<Waiting> {
        let datagram = self.waiting.borrow_mut().pop_front()?;
        self.size.set(self.size.get() - datagram.size());
        Some(datagram)
    }

    /// Puts back what was taken.
    fn unpop(&self, datagram: Waiting) {
        self.size.set(self.size.get() + datagram.size());
        self.waiting.borrow_mut().push_front(datagram);
    }

    fn state(&self) -> WriteState {
        if self.paused.get() {
            WriteState::OverHigh
        } else if self.is_empty() {
            WriteState::Sent
        } else {
            WriteState::Buffered
        }
    }
}

/// What became of a datagram.
enum Tried {
    Done,
    Waits(Waiting),
    Failed(ConnectionError),
}

impl State {
    pub(super) fn send_to(
        self: &Rc<Self>,
        data: Bytes,
        to: Option<DatagramAddr>,
    ) -> Result<WriteState, SendError> {
        let datagram = self.check(data, to)?;
        // A datagram does not overtake another, nor an error that the protocol is to hear first.
        if self.output.is_empty() && self.error.borrow().is_none() {
            match self.attempt(datagram) {
                Tried::Done => {}
                Tried::Waits(datagram) => self.output.push(datagram),
                Tried::Failed(error) => self.keep_error(error),
            }
        } else {
            self.output.push(datagram);
        }
        self.weigh();
        Ok(self.output.state())
    }

    fn check(&self, data: Bytes, to: Option<DatagramAddr>) -> Result<Waiting, SendError> {
        if self.life.is_closing() {
            return Err(SendError::Closed);
        }
        let to = match (&self.peer, to) {
            (None, None) => return Err(SendError::NoAddress),
            (Some(peer), Some(to)) if *peer != to => {
                return Err(SendError::NotThePeer {
                    peer: peer.clone(),
                    to,
                });
            }
            (Some(_), _) => None,
            (None, Some(to)) => {
                if self.socket_says(|socket| socket.takes(&to)) == Some(false) {
                    return Err(SendError::WrongAddress(to));
                }
                Some(to)
            }
        };
        let size = data.len();
        match self.socket_says(|socket| socket.limit()).flatten() {
            Some(limit) if size > limit => Err(SendError::TooLarge { size, limit }),
            _ => Ok(Waiting { data, to }),
        }
    }

    fn attempt(&self, datagram: Waiting) -> Tried {
        let Waiting { data, to } = &datagram;
        let sent = self.with_socket(|socket, cx| match socket.poll_send(cx, data, to.as_ref()) {
            Poll::Ready(Err(error)) if is_to_be_tried_again(&error) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            sent => sent,
        });
        match sent {
            Some(Poll::Ready(Ok(()))) => Tried::Done,
            Some(Poll::Ready(Err(error))) => Tried::Failed(self.unsent(datagram, error)),
            Some(Poll::Pending) => Tried::Waits(datagram),
            None => {
                // The task sends it in its first step.
                self.life.wake();
                Tried::Waits(datagram)
            }
        }
    }

    fn unsent(&self, datagram: Waiting, error: io::Error) -> ConnectionError {
        let unsent = Unsent {
            size: datagram.data.len(),
            to: datagram.to.or_else(|| self.peer.clone()),
            error,
        };
        ConnectionError::io(unsent.into_io())
    }

    /// An error does not end the endpoint: the protocol is told.
    pub(super) fn keep_error(self: &Rc<Self>, error: ConnectionError) {
        *self.error.borrow_mut() = Some(error);
        self.catch_up();
    }

    /// Sends what waits, as far as the socket takes it.
    pub(super) fn send_waiting(self: &Rc<Self>) {
        while self.error.borrow().is_none() {
            let Some(datagram) = self.output.pop() else {
                break;
            };
            match self.attempt(datagram) {
                Tried::Done => {}
                Tried::Waits(datagram) => {
                    self.output.unpop(datagram);
                    break;
                }
                Tried::Failed(error) => self.keep_error(error),
            }
        }
        self.weigh();
    }

    /// Pauses or resumes sending, as the limits say, and tells the protocol as soon as it can be told.
    fn weigh(self: &Rc<Self>) {
        if self.life.is_aborted() {
            return;
        }
        let (size, limits) = (self.output.size(), self.output.limits());
        let was_paused = self.output.paused.get();
        let paused = size > limits.high_mark() || (was_paused && size > limits.low_mark());
        if self.output.paused.replace(paused) != paused {
            if !paused {
                self.life.changed.notify_waiters();
            }
            self.catch_up();
        }
    }

    pub(super) fn set_limits(self: &Rc<Self>, limits: WriteLimits) {
        self.output.limits.set(limits);
        self.weigh();
    }

    /// Waits until sending is not paused.
    pub(super) async fn writable(&self) -> Result<(), SendError> {
        loop {
            if self.life.is_closing() {
                return Err(SendError::Closed);
            }
            if self.life.stage.get() == Stage::Made && !self.output.paused.get() {
                return Ok(());
            }
            self.life.changed.notified().await;
        }
    }
}
