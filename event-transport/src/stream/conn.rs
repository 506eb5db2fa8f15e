//! The state of one connection. No borrow is held while code of a user's runs.

use std::cell::RefCell;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;

use super::info::Direction;
use super::input::Input;
use super::io::{Io, Link};
use super::limits::WriteLimits;
use super::output::Output;
use super::transport::Transport;
use crate::error::ConnectionError;
use crate::events::{AfterEof, WritingPaused, WritingResumed};
use crate::life::{Life, Stage};
use crate::protocol::{Instance, Occurred, Told, Way};

pub(crate) struct Conn {
    life: Life,
    pub(super) io: RefCell<Option<Pin<Box<dyn Io>>>>,
    pub(super) needs_shutdown: bool,
    pub(super) direction: Direction,
    pub(super) input: Input,
    pub(super) output: Output,
    when_lost: RefCell<Option<Box<dyn FnOnce()>>>,
    #[cfg(feature = "tls")]
    pub(super) tls: super::secure::Tls,
}

/// A connection is its life with a stream.
impl Deref for Conn {
    type Target = Life;

    fn deref(&self) -> &Life {
        &self.life
    }
}

impl Conn {
    pub(crate) fn new(life: Life, link: Link, limits: WriteLimits) -> Rc<Self> {
        let output = Output::new(limits);
        #[cfg(feature = "tls")]
        if !link.layers.is_empty() {
            output.hold();
        }
        let direction = link
            .info
            .pipe
            .map(|pipe| pipe.direction)
            .unwrap_or_default();
        Rc::new(Self {
            life,
            io: RefCell::new(Some(link.io)),
            needs_shutdown: link.needs_shutdown,
            direction,
            input: Input::default(),
            output,
            when_lost: RefCell::new(None),
            #[cfg(feature = "tls")]
            tls: super::secure::Tls::new(link.layers),
        })
    }

    pub(crate) fn when_lost(&self, f: impl FnOnce() + 'static) {
        *self.when_lost.borrow_mut() = Some(Box::new(f));
    }

    /// Puts another protocol in the place of this one.
    pub(super) fn set_instance(self: &Rc<Self>, instance: Rc<dyn Instance>) {
        let before = self.life.exchange(instance);
        // The new one was told of nothing.
        self.output.told.set(false);
        self.let_go("a protocol that was exchanged", before);
        self.catch_up();
    }

    /// Does something with the stream in the name of the task, which is woken when it can go on. `None` if it is gone, in use or not begun.
    pub(super) fn with_io<R>(
        &self,
        f: impl FnOnce(Pin<&mut dyn Io>, &mut Context<'_>) -> R,
    ) -> Option<R> {
        self.life.with_waker(|waker| {
            let mut io = self.io.try_borrow_mut().ok()?;
            let io = io.as_mut()?;
            Some(f(io.as_mut(), &mut Context::from_waker(waker)))
        })?
    }

    /// Has it end at once.
    pub(crate) fn abort(&self, error: Option<ConnectionError>) {
        if self.life.abort(error) {
            self.output.discard();
        }
    }

    pub(super) fn fail(&self, error: std::io::Error) {
        self.abort(Some(ConnectionError::io(error)));
    }

    /// Tells the protocol of something that it cannot miss; with a failure the connection ends.
    pub(super) fn tell(self: &Rc<Self>, occurred: &Occurred<'_>) -> AfterEof {
        let told = self.tell_instance(occurred);
        self.after(told)
    }

    /// Lends the memory of the protocol for a read. Whether it was.
    pub(super) fn lend(self: &Rc<Self>, read: &mut dyn FnMut(&mut [u8])) -> bool {
        let told = self.life.lend(Way::Stream(&Transport::of(self)), read);
        let is_lent = matches!(told, Told::Turned(_));
        self.after(told);
        is_lent
    }

    fn after(self: &Rc<Self>, told: Told) -> AfterEof {
        let after_eof = match told {
            Told::Turned(turned) => turned.after_eof,
            Told::Failed(message) => {
                self.abort(Some(ConnectionError::listener(message)));
                AfterEof::Close
            }
            Told::Nobody | Told::Busy => AfterEof::Close,
        };
        self.catch_up();
        after_eof
    }

    fn tell_instance(self: &Rc<Self>, occurred: &Occurred<'_>) -> Told {
        let transport = Transport::of(self);
        self.life.tell(Way::Stream(&transport), occurred)
    }

    /// Tells of what came due while the instance was in use: each pause of writing is followed by its end, or by that of the connection.
    pub(crate) fn catch_up(self: &Rc<Self>) {
        while self.stage.get() == Stage::Made {
            let paused = self.output.paused.get();
            if self.output.told.get() == paused || self.instance().is_busy() {
                return;
            }
            self.output.told.set(paused);
            // What fails here is told to the hook, and the connection goes on.
            let _told = if paused {
                self.tell_instance(&Occurred::Paused(&WritingPaused))
            } else {
                self.tell_instance(&Occurred::Resumed(&WritingResumed))
            };
        }
        self.life.catch_up(Way::Stream(&Transport::of(self)));
    }

    /// The first event.
    pub(super) fn made(self: &Rc<Self>) {
        let told = self.life.made(Way::Stream(&Transport::of(self)));
        self.after(told);
        self.changed.notify_waiters();
    }

    /// The last event, and then the end of the stream.
    pub(super) fn lose(self: &Rc<Self>, error: Option<ConnectionError>) {
        self.stage.set(Stage::Lost);
        self.output.discard();
        self.life.lose(Way::Stream(&Transport::of(self)), error);
        let io = self.io.try_borrow_mut().map(|mut io| io.take());
        self.let_go("the stream of a lost connection", io);
        #[cfg(feature = "tls")]
        self.let_go("the TLS of a lost connection", self.tls.take());
        if let Some(when_lost) = self.when_lost.take() {
            when_lost();
        }
        self.changed.notify_waiters();
    }
}
