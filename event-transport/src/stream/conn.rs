//! The state of one connection. No borrow is held while code of a user's runs.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use event_core::private::protocol;
use event_core::private::scope::{Scope, is_open};
use event_core::{Bus, Event, emit};
use event_runtime::event_loop::EventLoop;
use tokio::sync::Notify;

use super::input::Input;
use super::io::{Io, Link};
use super::limits::WriteLimits;
use super::output::Output;
use super::transport::Transport;
use crate::connection::Connection;
use crate::error::ConnectionError;
use crate::events::{AfterEof, ConnectionLost, ConnectionMade, WritingPaused, WritingResumed};
use crate::protocol::{Gone, Instance, Occurred, Told};

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    New,
    Made,
    Lost,
}

/// How a connection shall end.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// When everything has been written.
    Closed,
    /// At once.
    Aborted(Option<ConnectionError>),
}

pub(crate) struct Conn {
    pub(crate) lp: EventLoop,
    pub(crate) facts: Connection,
    /// The bus of the endpoint, by its number.
    bus: u64,
    pub(super) io: RefCell<Option<Pin<Box<dyn Io>>>>,
    pub(super) needs_shutdown: bool,
    /// Wakes the connection's task.
    waker: RefCell<Option<Waker>>,
    instance: RefCell<Rc<dyn Instance>>,
    pub(super) stage: Cell<Stage>,
    /// Its protocol has heard so.
    pub(super) was_made: Cell<bool>,
    pub(super) end: RefCell<Option<End>>,
    pub(super) input: Input,
    pub(super) output: Output,
    /// Something that a task may wait for is different.
    pub(super) changed: Notify,
    /// What could not be told, as the instance was in use when the loop dropped the connection.
    untold: RefCell<Option<ConnectionLost>>,
    when_lost: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Conn {
    pub(super) fn new(
        lp: &EventLoop,
        facts: Connection,
        bus: u64,
        link: Link,
        limits: WriteLimits,
        instance: Rc<dyn Instance>,
    ) -> Rc<Self> {
        Rc::new(Self {
            lp: lp.clone(),
            facts,
            bus,
            io: RefCell::new(Some(link.io)),
            needs_shutdown: link.needs_shutdown,
            waker: RefCell::new(None),
            instance: RefCell::new(instance),
            stage: Cell::new(Stage::New),
            was_made: Cell::new(false),
            end: RefCell::new(None),
            input: Input::default(),
            output: Output::new(limits),
            changed: Notify::new(),
            untold: RefCell::new(None),
            when_lost: RefCell::new(None),
        })
    }

    pub(super) fn when_lost(&self, f: impl FnOnce() + 'static) {
        *self.when_lost.borrow_mut() = Some(Box::new(f));
    }

    pub(super) fn instance(&self) -> Rc<dyn Instance> {
        Rc::clone(&self.instance.borrow())
    }

    /// Puts another protocol in the place of this one.
    pub(super) fn set_instance(self: &Rc<Self>, instance: Rc<dyn Instance>) {
        let before = self.instance.replace(instance);
        // The new one was told of nothing.
        self.output.told.set(false);
        self.let_go("a protocol that was exchanged", before);
        self.catch_up();
    }

    /// Remembers how the task is woken.
    pub(super) fn keep_waker(&self, waker: &Waker) {
        let same = |kept: &Waker| kept.will_wake(waker);
        if !self.waker.borrow().as_ref().is_some_and(same) {
            drop(self.waker.replace(Some(waker.clone())));
        }
    }

    /// Gives the task a step.
    pub(super) fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Does something with the stream in the name of the task, which is woken when it can go on. `None` if it is gone, in use or not begun.
    pub(super) fn with_io<R>(
        &self,
        f: impl FnOnce(Pin<&mut dyn Io>, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let waker = self.waker.borrow();
        let mut io = self.io.try_borrow_mut().ok()?;
        let io = io.as_mut()?;
        Some(f(io.as_mut(), &mut Context::from_waker(waker.as_ref()?)))
    }

    pub(super) fn is_lost(&self) -> bool {
        self.stage.get() == Stage::Lost
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_lost() || self.end.borrow().is_some()
    }

    /// Has it end when everything has been written.
    pub(crate) fn close(&self) {
        if !self.is_closing() {
            *self.end.borrow_mut() = Some(End::Closed);
            self.wake();
        }
    }

    /// Has it end at once.
    pub(crate) fn abort(&self, error: Option<ConnectionError>) {
        if self.is_lost() || matches!(*self.end.borrow(), Some(End::Aborted(_))) {
            return;
        }
        *self.end.borrow_mut() = Some(End::Aborted(error));
        self.output.discard();
        self.wake();
    }

    pub(super) fn fail(&self, error: std::io::Error) {
        self.abort(Some(ConnectionError::io(error)));
    }

    pub(super) fn bus(&self) -> Option<Bus> {
        protocol::by_number(self.bus)
    }

    /// The bus of the endpoint is current while its listeners run, whoever began.
    fn scope(&self) -> Scope {
        Scope::enter(self.bus)
    }

    /// Tells the protocol of something that it cannot miss; with a failure the connection ends.
    pub(super) fn tell(self: &Rc<Self>, occurred: &Occurred<'_>) -> AfterEof {
        let told = self.tell_instance(occurred);
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
        let instance = self.instance();
        let _scope = self.scope();
        instance.tell(occurred, &Transport::of(self))
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
        if let Some(lost) = self.untold.take() {
            self.tell_lost(lost);
        }
    }

    /// The first event.
    pub(super) fn made(self: &Rc<Self>) {
        self.stage.set(Stage::Made);
        self.was_made.set(true);
        let made = ConnectionMade {
            connection: self.facts.clone(),
        };
        if self.facts.is_labelled() {
            self.emit(made.clone());
        }
        self.tell(&Occurred::Made(&made));
        self.changed.notify_waiters();
    }

    /// The last event, and then the end of the stream.
    pub(super) fn lose(self: &Rc<Self>, error: Option<ConnectionError>) {
        self.stage.set(Stage::Lost);
        self.output.discard();
        if self.was_made.get() {
            let connection = self.facts.clone();
            self.tell_lost(ConnectionLost { connection, error });
        }
        let io = self.io.try_borrow_mut().map(|mut io| io.take());
        self.let_go("the stream of a lost connection", io);
        if let Some(when_lost) = self.when_lost.take() {
            when_lost();
        }
        self.changed.notify_waiters();
    }

    fn tell_lost(self: &Rc<Self>, lost: ConnectionLost) {
        if let Told::Busy = self.tell_instance(&Occurred::Lost(&lost)) {
            *self.untold.borrow_mut() = Some(lost);
            return;
        }
        if self.facts.is_labelled() {
            self.emit(lost);
        }
        let instance = self.instance.replace(Rc::new(Gone));
        self.let_go("the protocol of a lost connection", instance);
    }

    /// Drops what is the user's, whose panic must not keep the connection from its end.
    #[track_caller]
    fn let_go<T>(&self, what: &str, value: T) {
        let place = Location::caller();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
            self.tell_failed(what, place, Err(panic));
        }
    }

    fn emit<E: Event>(&self, event: E) {
        let _scope = self.scope();
        let emission = emit(event);
        if is_open(&emission) {
            let task = self.lp.spawn(async move { drop(emission.await) });
            // A loop that is closed drops the emission, which tells so itself.
            if let Ok(task) = task {
                task.detach();
            }
        }
    }

    pub(crate) fn tell_failed(
        &self,
        name: &str,
        place: &'static Location<'static>,
        failed: Result<Box<dyn std::error::Error + Send + Sync>, Box<dyn std::any::Any + Send>>,
    ) -> String {
        let item = event_runtime::event_loop::LoopItem::Listener;
        self.lp.__tell(item, name, place, failed)
    }
}
