//! What can be done to a task from outside, whatever its result is.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::EventLoop;
use super::calls::{Action, CallKey};
use super::cancel::CancelReason;
use super::core::Core;
use super::join::{Home, JoinError, Settle};
use super::tasks::TaskKey;
use super::waiters::Waiters;

/// How far a task's cancellation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody wants it to end.
    None,
    /// It was asked to end.
    Asked,
    /// The same, and it listened, so it may take its time.
    Listening,
    /// It is dropped at its next step.
    Aborted,
}

pub(super) struct Control {
    pub(super) core: Home,
    pub(super) key: Cell<TaskKey>,
    pub(super) name: Option<Rc<str>>,
    pub(super) place: &'static Location<'static>,
    pub(super) waiters: Waiters,
    pub(super) handle_gone: Cell<bool>,
    pub(super) started: Cell<bool>,
    stage: Cell<Stage>,
    /// Why it was asked to end, the first time.
    reason: RefCell<Option<CancelReason>>,
    /// Who waits for the request to end; done when it comes. Few tasks are asked, so it is made when it is wanted.
    token: OnceCell<Box<Waiters>>,
    /// How many wait for it.
    listeners: Cell<usize>,
    /// The scope that it belongs to, told of its end.
    settled: RefCell<Option<Settled>>,
    in_scope: Cell<bool>,
    grace: Cell<Option<CallKey>>,
}

/// Told of a task's end, with the error if it gave no result.
pub(super) type Settled = Box<dyn FnOnce(Option<&JoinError>)>;

impl Control {
    pub(super) fn new(
        core: &Rc<Core>,
        name: Option<Rc<str>>,
        place: &'static Location<'static>,
    ) -> Self {
        Self {
            core: Rc::downgrade(core),
            key: Cell::default(),
            name,
            place,
            waiters: Waiters::default(),
            handle_gone: Cell::new(false),
            started: Cell::new(false),
            stage: Cell::new(Stage::None),
            reason: RefCell::default(),
            token: OnceCell::new(),
            listeners: Cell::new(0),
            settled: RefCell::default(),
            in_scope: Cell::new(false),
            grace: Cell::new(None),
        }
    }

    pub(super) fn cancel(&self, stage: Stage, reason: CancelReason) -> bool {
        if self.waiters.is_done() {
            return false;
        }
        let Some(core) = self.core.upgrade() else {
            return false;
        };
        self.ends_because(reason);
        let listens = self.started.get() && self.listeners.get() > 0;
        let stage = match stage {
            Stage::Asked if listens => Stage::Listening,
            stage => stage,
        };
        let before = self.stage.get();
        if before == Stage::None || stage == Stage::Aborted {
            self.stage.set(stage);
            if stage == Stage::Listening {
                self.give_grace(&core);
            }
            self.token().done(Some(&core), self.place);
            core.ring(self.key.get());
        }
        true
    }

    /// The first reason counts.
    pub(super) fn ends_because(&self, reason: CancelReason) {
        self.reason.borrow_mut().get_or_insert(reason);
    }

    pub(super) fn reason(&self) -> Option<CancelReason> {
        self.reason.borrow().clone()
    }

    /// Whether a step of this task runs just now.
    fn is_current(&self) -> bool {
        self.core.upgrade().is_some_and(|core| {
            let current = core.current_task.borrow();
            let key = current.as_ref().map(|task| task.control().key.get());
            key == Some(self.key.get())
        })
    }

    /// Has the task dropped after the grace period.
    fn give_grace(&self, core: &Rc<Core>) {
        let at = event_core::private::after(core.shared.now(), core.settings.grace);
        let key = self.key.get();
        let abort = move |lp: &EventLoop| {
            lp.core.abort(key);
            Ok(())
        };
        // A loop that is closed drops its tasks anyway.
        let timer = core.at(at, Action::Once(Box::new(abort)), self.place);
        self.grace.set(timer.ok());
    }

    fn token(&self) -> &Waiters {
        self.token.get_or_init(Box::default)
    }

    /// The task has ended by itself.
    pub(super) fn end_grace(&self) {
        let Some(timer) = self.grace.take() else {
            return;
        };
        if let Some(core) = self.core.upgrade() {
            drop(core.cancel(timer));
        }
    }

    /// Whether the task must be dropped instead of polled.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage.get(), Stage::Asked | Stage::Aborted)
    }

    /// The task belongs to a scope.
    pub(super) fn when_settled(&self, settled: impl FnOnce(Option<&JoinError>) + 'static) {
        self.in_scope.set(true);
        drop(self.settled.replace(Some(Box::new(settled))));
    }

    pub(super) fn take_settled(&self) -> Option<Settled> {
        self.settled.take()
    }

    /// Whether somebody in the task waits for the request to end.
    pub(super) fn is_cancel_awaited(&self) -> bool {
        self.listeners.get() > 0
    }

    pub(super) fn is_in_scope(&self) -> bool {
        self.in_scope.get()
    }
}

/// A future that ends when the task it was made in is asked to end, with the reason. See [`EventLoop::cancelled`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Cancelled {
    task: Option<Rc<dyn Settle>>,
    number: Option<u64>,
    /// It counts among those for whose sake the task may take its time.
    counts: bool,
}

impl Cancelled {
    /// Of the task that runs now.
    pub(super) fn of(task: Option<Rc<dyn Settle>>) -> Self {
        let mut token = Self {
            task,
            number: None,
            counts: false,
        };
        token.count(true);
        token
    }

    pub(super) fn is_done(&self) -> bool {
        (self.task.as_ref()).is_some_and(|task| task.control().token().is_done())
    }

    fn count(&mut self, counts: bool) {
        let Some(task) = self.task.as_ref().filter(|_| counts != self.counts) else {
            return;
        };
        let listeners = &task.control().listeners;
        listeners.set(if counts {
            listeners.get() + 1
        } else {
            listeners.get() - 1
        });
        self.counts = counts;
    }
}

impl Future for Cancelled {
    type Output = CancelReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancelReason> {
        let this = &mut *self;
        let Some(task) = this.task.clone() else {
            return Poll::Pending;
        };
        let control = task.control();
        let token = control.token();
        if token.is_done() {
            return Poll::Ready(control.reason().unwrap_or(CancelReason::Requested));
        }
        // Another task that waits for it is no reason to give this one time.
        this.count(control.is_current());
        token.wake(&mut this.number, cx.waker());
        Poll::Pending
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.count(false);
        if let (Some(task), Some(number)) = (self.task.take(), self.number) {
            task.control().token().leave(number);
        }
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.task.is_some() {
            "Cancelled(of a task)"
        } else {
            "Cancelled(of no task)"
        })
    }
}
