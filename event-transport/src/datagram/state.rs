//! The state of one endpoint, and the task that drives it. No borrow is held while code of a user's runs.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use event_runtime::event_loop::{Cancelled, JoinHandle, LoopError};

use super::addr::DatagramAddr;
use super::output::Output;
use super::socket::{Link, Socket};
use super::transport::DatagramTransport;
use crate::error::ConnectionError;
use crate::events::{ErrorReceived, WritingPaused, WritingResumed};
use crate::life::{End, Life, Stage};
use crate::protocol::{Instance, Occurred, Told, Way};
use crate::stream::WriteLimits;

pub(crate) struct State {
    pub(super) life: Life,
    socket: RefCell<Option<Box<dyn Socket>>>,
    pub(super) peer: Option<DatagramAddr>,
    pub(super) output: Output,
    /// An error that the protocol is to hear before anything else is sent.
    pub(super) error: RefCell<Option<ConnectionError>>,
    /// How many errors receiving gave, one after the other.
    pub(super) failures: Cell<u32>,
}

impl State {
    pub(super) fn new(life: Life, link: Link, limits: WriteLimits) -> Rc<Self> {
        Rc::new(Self {
            life,
            socket: RefCell::new(Some(link.socket)),
            peer: link.peer,
            output: Output::new(limits),
            error: RefCell::new(None),
            failures: Cell::new(0),
        })
    }

    /// Starts the endpoint's task.
    pub(super) fn start(self: &Rc<Self>) -> Result<(), LoopError> {
        let drive = Drive {
            state: Rc::clone(self),
            cancelled: None,
        };
        self.life.lp.spawn(drive).map(JoinHandle::<()>::detach)
    }

    /// Does something with the socket in the name of the task, which is woken when it can go on. `None` if it is gone or not begun.
    pub(super) fn with_socket<R>(
        &self,
        f: impl FnOnce(&dyn Socket, &mut Context<'_>) -> R,
    ) -> Option<R> {
        self.life.with_waker(|waker| {
            let socket = self.socket.borrow();
            Some(f(socket.as_deref()?, &mut Context::from_waker(waker)))
        })?
    }

    pub(super) fn socket_says<R>(&self, f: impl FnOnce(&dyn Socket) -> R) -> Option<R> {
        self.socket.borrow().as_deref().map(f)
    }

    pub(super) fn set_instance(self: &Rc<Self>, instance: Rc<dyn Instance>) {
        let before = self.life.exchange(instance);
        // The new one was told of nothing.
        self.output.told.set(false);
        self.life.let_go("a protocol that was exchanged", before);
        self.catch_up();
    }

    pub(super) fn abort(&self, error: Option<ConnectionError>) {
        if self.life.abort(error) {
            self.output.discard();
        }
    }

    pub(super) fn tell(self: &Rc<Self>, occurred: &Occurred<'_>) -> Told {
        let transport = DatagramTransport::of(self);
        self.life.tell(Way::Datagram(&transport), occurred)
    }

    /// Tells of what came due while the instance was in use. What fails here is told to the hook, and the endpoint stays.
    pub(crate) fn catch_up(self: &Rc<Self>) {
        let mut told_error = false;
        while self.life.stage.get() == Stage::Made && !self.life.instance().is_busy() {
            // A listener that sends again what failed has its next turn in the next step.
            let error = (!told_error).then(|| self.error.take()).flatten();
            let paused = self.output.paused.get();
            let _told = if let Some(error) = error {
                // What waits behind it can be sent.
                self.life.wake();
                told_error = true;
                let received = ErrorReceived { error };
                let told = self.tell(&Occurred::Error(&received));
                if let Told::Nobody = told {
                    self.life.tell_unheard(received.error);
                }
                told
            } else if self.output.told.replace(paused) == paused {
                return;
            } else if paused {
                self.tell(&Occurred::Paused(&WritingPaused))
            } else {
                self.tell(&Occurred::Resumed(&WritingResumed))
            };
        }
        let transport = DatagramTransport::of(self);
        self.life.catch_up(Way::Datagram(&transport));
    }

    fn made(self: &Rc<Self>) {
        let transport = DatagramTransport::of(self);
        if let Told::Failed(message) = self.life.made(Way::Datagram(&transport)) {
            self.abort(Some(ConnectionError::listener(message)));
        }
        self.catch_up();
        self.life.changed.notify_waiters();
    }

    fn lose(self: &Rc<Self>, error: Option<ConnectionError>) {
        self.life.stage.set(Stage::Lost);
        self.output.discard();
        let transport = DatagramTransport::of(self);
        self.life.lose(Way::Datagram(&transport), error);
        drop(self.socket.take());
        self.life.changed.notify_waiters();
    }

    fn step(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.life.stage.get() == Stage::New {
            self.made();
            // Receiving begins in a step of its own, behind what waits for the endpoint.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.catch_up();
        self.send_waiting();
        let end = self.life.end.borrow().clone();
        match end {
            None => {
                self.receive(cx);
                Poll::Pending
            }
            Some(End::Closed) if !self.output.is_empty() => Poll::Pending,
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

struct Drive {
    state: Rc<State>,
    /// The loop asks its tasks to end.
    cancelled: Option<Cancelled>,
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
        if !self.state.life.is_lost() {
            self.state.lose(Some(ConnectionError::dropped()));
        }
    }
}
