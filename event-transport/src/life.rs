//! From the first event of a connection to its last, whatever it carries. No borrow is held while code of a user's runs.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::task::Waker;

use event_core::private::protocol;
use event_core::private::scope::{Scope, is_heard, is_open};
use event_core::{Bus, Event, emit};
use event_runtime::event_loop::{EventLoop, LoopItem};
use tokio::sync::Notify;

use crate::connection::Connection;
use crate::error::ConnectionError;
use crate::events::{ConnectionLost, ConnectionMade};
use crate::protocol::{Gone, Instance, Occurred, Told, Way};

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
    /// When everything has been sent.
    Closed,
    /// At once.
    Aborted(Option<ConnectionError>),
}

pub(crate) struct Life {
    pub(crate) lp: EventLoop,
    pub(crate) facts: Connection,
    /// The bus of the endpoint, by its number.
    bus: u64,
    /// Wakes the connection's task.
    waker: RefCell<Option<Waker>>,
    instance: RefCell<Rc<dyn Instance>>,
    pub(crate) stage: Cell<Stage>,
    /// Its protocol has heard so.
    pub(crate) was_made: Cell<bool>,
    pub(crate) end: RefCell<Option<End>>,
    /// Something that a task may wait for is different.
    pub(crate) changed: Notify,
    /// Where the endpoint was asked for.
    place: &'static Location<'static>,
    /// What could not be told, as the instance was in use when the connection was dropped.
    untold: RefCell<Option<ConnectionLost>>,
}

impl Life {
    pub(crate) fn new(
        lp: &EventLoop,
        facts: Connection,
        (bus, place): (u64, &'static Location<'static>),
        instance: Rc<dyn Instance>,
    ) -> Self {
        Self {
            lp: lp.clone(),
            facts,
            bus,
            waker: RefCell::new(None),
            instance: RefCell::new(instance),
            stage: Cell::new(Stage::New),
            was_made: Cell::new(false),
            end: RefCell::new(None),
            changed: Notify::new(),
            place,
            untold: RefCell::new(None),
        }
    }

    /// The life of a connection that is a part of this one.
    #[cfg(unix)]
    pub(crate) fn of_a_part(&self, facts: Connection, instance: Rc<dyn Instance>) -> Self {
        Self::new(&self.lp, facts, (self.bus, self.place), instance)
    }

    pub(crate) fn instance(&self) -> Rc<dyn Instance> {
        Rc::clone(&self.instance.borrow())
    }

    /// Puts another protocol in the place of this one, which is to be let go.
    pub(crate) fn exchange(&self, instance: Rc<dyn Instance>) -> Rc<dyn Instance> {
        self.instance.replace(instance)
    }

    /// Remembers how the task is woken.
    pub(crate) fn keep_waker(&self, waker: &Waker) {
        let same = |kept: &Waker| kept.will_wake(waker);
        if !self.waker.borrow().as_ref().is_some_and(same) {
            drop(self.waker.replace(Some(waker.clone())));
        }
    }

    /// Does something in the name of the task; `None` before its first step.
    pub(crate) fn with_waker<R>(&self, f: impl FnOnce(&Waker) -> R) -> Option<R> {
        self.waker.borrow().as_ref().map(f)
    }

    #[cfg(feature = "tls")]
    pub(crate) fn task_waker(&self) -> Option<Waker> {
        self.waker.borrow().clone()
    }

    /// Gives the task a step.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.stage.get() == Stage::Lost
    }

    pub(crate) fn is_aborted(&self) -> bool {
        matches!(*self.end.borrow(), Some(End::Aborted(_)))
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_lost() || self.end.borrow().is_some()
    }

    /// Has it end when everything has been sent.
    pub(crate) fn close(&self) {
        if !self.is_closing() {
            *self.end.borrow_mut() = Some(End::Closed);
            self.wake();
        }
    }

    /// Has it end at once. Whether it was not to before.
    pub(crate) fn abort(&self, error: Option<ConnectionError>) -> bool {
        let is_new = !self.is_lost() && !self.is_aborted();
        if is_new {
            *self.end.borrow_mut() = Some(End::Aborted(error));
            self.wake();
        }
        is_new
    }

    pub(crate) fn bus(&self) -> Option<Bus> {
        protocol::by_number(self.bus)
    }

    /// Tells the instance, for whose listeners the bus of the endpoint is current, whoever began.
    pub(crate) fn tell(&self, way: Way<'_>, occurred: &Occurred<'_>) -> Told {
        let instance = self.instance();
        let _scope = Scope::enter(self.bus);
        instance.tell(occurred, way)
    }

    /// Lends the memory of the instance for a read, as [`tell`](Self::tell) does everything else of it.
    pub(crate) fn lend(&self, way: Way<'_>, read: &mut dyn FnMut(&mut [u8])) -> Told {
        let instance = self.instance();
        let _scope = Scope::enter(self.bus);
        instance.lend(way, read)
    }

    /// The first event. Whoever waits for the connection is to be told after it.
    pub(crate) fn made(&self, way: Way<'_>) -> Told {
        self.stage.set(Stage::Made);
        self.was_made.set(true);
        let made = ConnectionMade {
            connection: self.facts.clone(),
        };
        if self.facts.is_labelled() {
            self.emit(made.clone());
        }
        self.tell(way, &Occurred::Made(&made))
    }

    /// The last event, in the stage [`Lost`](Stage::Lost). What the connection was made of is let go after it.
    pub(crate) fn lose(&self, way: Way<'_>, error: Option<ConnectionError>) {
        if self.was_made.get() {
            let connection = self.facts.clone();
            self.tell_lost(way, ConnectionLost { connection, error });
        }
    }

    /// Tells of the end what could not be told before.
    pub(crate) fn catch_up(&self, way: Way<'_>) {
        if let Some(lost) = self.untold.take() {
            self.tell_lost(way, lost);
        }
    }

    fn tell_lost(&self, way: Way<'_>, lost: ConnectionLost) {
        let told = self.tell(way, &Occurred::Lost(&lost));
        if let Told::Busy = told {
            *self.untold.borrow_mut() = Some(lost);
            return;
        }
        let error = lost.error.clone();
        let mut heard = !matches!(told, Told::Nobody);
        if self.facts.is_labelled() {
            heard |= self.emit(lost);
        }
        if let (Some(error), false) = (error, heard) {
            self.tell_unheard(error);
        }
        let instance = self.instance.replace(Rc::new(Gone));
        self.let_go("the protocol of a lost connection", instance);
    }

    /// Drops what is the user's, whose panic must not keep the connection from its end.
    #[track_caller]
    pub(crate) fn let_go<T>(&self, what: &str, value: T) {
        let place = Location::caller();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
            self.tell_failed(what, place, Err(panic));
        }
    }

    /// Tells the hook of an error for which the protocol has no listener. That a peer is gone is nothing that has to be mended.
    pub(crate) fn tell_unheard(&self, error: ConnectionError) {
        if error.is_of_io() && !error.is_of_the_peer() {
            let name = match self.facts.label() {
                "" => self.facts.facts().peer_text().unwrap_or_default(),
                label => label.to_owned(),
            };
            let failed = Ok(error.into());
            self.lp
                .__tell(LoopItem::Connection, &name, self.place, failed);
        }
    }

    /// Tells the bus of the endpoint. Whether anybody hears it.
    pub(crate) fn emit<E: Event>(&self, event: E) -> bool {
        let _scope = Scope::enter(self.bus);
        let emission = emit(event);
        let heard = is_heard(&emission);
        if is_open(&emission) {
            let task = self.lp.spawn(async move { drop(emission.await) });
            // A loop that is closed drops the emission, which tells so itself.
            if let Ok(task) = task {
                task.detach();
            }
        }
        heard
    }

    pub(crate) fn tell_failed(
        &self,
        name: &str,
        place: &'static Location<'static>,
        failed: Result<Box<dyn Error + Send + Sync>, Box<dyn Any + Send>>,
    ) -> String {
        self.lp.__tell(LoopItem::Listener, name, place, failed)
    }
}
