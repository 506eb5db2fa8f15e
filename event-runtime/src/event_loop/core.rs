//! The state of a loop, all on its own thread. No borrow is held while code of a user's runs or is dropped.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_core::private::scope::current_bus;

use slotmap::{DefaultKey, SlotMap};

use super::EventLoop;
use super::calls::{Action, Call, CallKey, Calls};
use super::driver::Driver;
use super::error::{Fatal, LoopError};
use super::failure::Hook;
use super::hear::Hearers;
use super::join::Settle;
use super::main_task::MainTask;
use super::scope;
use super::shared::{Nanos, Shared};
#[cfg(feature = "signal")]
use super::signal::Handlers;
use super::tasks::{TaskKey, Tasks};
use super::timers::Timers;

/// One item of the queue.
#[derive(Clone, Copy)]
pub(super) enum Item {
    Call(CallKey),
    Step(TaskKey),
    /// The future of the run has ended.
    Stop,
}

/// Takes the result of a call on another thread.
pub(super) type Give = Box<dyn FnOnce(Box<dyn Any>)>;

/// Told of every task that starts.
pub(super) type SpawnHook = Rc<dyn Fn(Option<&str>, &'static Location<'static>)>;

/// What is set when the loop is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) poll_every: u32,
    pub(super) grace: Duration,
    pub(super) slow: Option<Duration>,
    /// Where the loop was made.
    pub(super) place: &'static Location<'static>,
}

pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) driver: Box<dyn Driver>,
    pub(super) settings: Settings,
    pub(super) ready: RefCell<VecDeque<Item>>,
    pub(super) calls: RefCell<Calls>,
    pub(super) timers: RefCell<Timers>,
    pub(super) tasks: RefCell<Tasks>,
    /// The task whose step runs.
    pub(super) current_task: RefCell<Option<Rc<dyn Settle>>>,
    /// The scope whose block is polled.
    pub(super) current_scope: RefCell<Option<Rc<scope::State>>>,
    pub(super) hearers: RefCell<Hearers>,
    pub(super) running: Cell<bool>,
    pub(super) closed: Cell<bool>,
    pub(super) stopping: Cell<bool>,
    /// The driver waits. What comes from this thread then, out of tokio's own tasks or its I/O, must end the wait.
    pub(super) waiting: Cell<bool>,
    pub(super) fatal: RefCell<Option<Fatal>>,
    pub(super) hook: RefCell<Option<Hook>>,
    pub(super) telling: Cell<bool>,
    pub(super) spawn_hook: RefCell<Option<SpawnHook>>,
    /// The time of the turn that runs now, or of the last one. Without timers nobody has looked at the clock until it is asked for.
    pub(super) turn_time: Cell<Option<Nanos>>,
    pub(super) slow_items: Cell<u64>,
    /// Who waits for calls on other threads. As long as there are some, the loop is not idle.
    pub(super) calls_of_threads: RefCell<SlotMap<DefaultKey, Give>>,
    /// The bus that was current when the run began.
    pub(super) main_bus: Cell<u64>,
    /// The program that runs on this loop, also when it has ended.
    pub(super) main: RefCell<Option<Rc<MainTask>>>,
    #[cfg(feature = "signal")]
    pub(super) handlers: RefCell<Handlers>,
}

impl Core {
    pub(super) fn new(
        shared: Arc<Shared>,
        driver: Box<dyn Driver>,
        settings: Settings,
    ) -> Rc<Self> {
        Rc::new(Self {
            turn_time: Cell::new(None),
            timers: RefCell::default(),
            shared,
            driver,
            settings,
            ready: RefCell::default(),
            calls: RefCell::default(),
            tasks: RefCell::default(),
            current_task: RefCell::new(None),
            current_scope: RefCell::default(),
            hearers: RefCell::default(),
            running: Cell::new(false),
            closed: Cell::new(false),
            stopping: Cell::new(false),
            waiting: Cell::new(false),
            fatal: RefCell::new(None),
            hook: RefCell::new(None),
            telling: Cell::new(false),
            spawn_hook: RefCell::new(None),
            slow_items: Cell::new(0),
            calls_of_threads: RefCell::default(),
            main_bus: Cell::new(0),
            main: RefCell::default(),
            #[cfg(feature = "signal")]
            handlers: RefCell::default(),
        })
    }

    /// The loop as a callback sees it.
    pub(super) fn handle(self: &Rc<Self>) -> EventLoop {
        EventLoop::handle_of(Rc::clone(self))
    }

    pub(super) fn check_open(&self) -> Result<(), LoopError> {
        if self.closed.get() {
            return Err(LoopError::Closed);
        }
        Ok(())
    }

    pub(super) fn push(&self, item: Item) {
        self.ready.borrow_mut().push_back(item);
        self.end_wait();
    }

    /// Has the driver look again, if it waits.
    #[inline]
    pub(super) fn end_wait(&self) {
        if self.waiting.get() {
            self.wake_driver();
        }
    }

    #[cold]
    fn wake_driver(&self) {
        self.waiting.set(false);
        self.shared.wake();
    }

    /// Has something called in the next turn.
    pub(super) fn soon(
        &self,
        action: Action,
        place: &'static Location<'static>,
    ) -> Result<CallKey, LoopError> {
        self.check_open()?;
        let call = Call::new(action, current_bus(), place);
        let key = self.calls.borrow_mut().insert(call);
        self.push(Item::Call(key));
        Ok(key)
    }

    /// Has something called at a time, never before.
    pub(super) fn at(
        &self,
        at: Instant,
        action: Action,
        place: &'static Location<'static>,
    ) -> Result<CallKey, LoopError> {
        self.check_open()?;
        let call = Call::new(action, current_bus(), place);
        let mut timers = self.timers.borrow_mut();
        let due = timers.due(self.shared.nanos(at));
        let key = self.calls.borrow_mut().insert(call.at(due));
        timers.insert(due, key);
        drop(timers);
        self.end_wait();
        Ok(key)
    }

    /// Takes a call back; what it was, if it had not begun.
    pub(super) fn cancel(&self, key: CallKey) -> Option<Call> {
        let call = self.calls.borrow_mut().remove(key)?;
        if call.due().is_some() {
            self.timers.borrow_mut().forget();
        }
        Some(call)
    }

    /// Another deadline for a timer that has not fired, or for a periodic one.
    pub(super) fn reset(&self, key: CallKey, at: Instant) -> bool {
        let due = self.calls.borrow().due(key);
        let nanos = self.shared.nanos(at);
        let due = match due {
            Some(due) => self.timers.borrow_mut().reset(due, nanos, key),
            None if self.calls.borrow().is_periodic(key) => {
                // Its time has come. In the heap again, it has a place in the queue that stands for nothing.
                let mut timers = self.timers.borrow_mut();
                let due = timers.due(nanos);
                timers.insert(due, key);
                due
            }
            None => return self.calls.borrow_mut().reset_running(key, at),
        };
        self.calls.borrow_mut().reset(key, at, due);
        self.end_wait();
        true
    }

    /// Ends the run after this item.
    pub(super) fn end_with(&self, fatal: Fatal) {
        self.fatal.borrow_mut().get_or_insert(fatal);
    }
}
