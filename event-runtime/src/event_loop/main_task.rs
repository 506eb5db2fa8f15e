//! The future of a program's `main`: it may borrow, so it is no task of the loop, but it is asked to end like one.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::rc::Rc;
use std::task::{Poll, Waker};

use event_core::private::after;

use super::EventLoop;
use super::calls::{Action, CallKey};
use super::cancel::{self, CancelReason};
use super::control::{Control, Stage};
use super::core::Core;
use super::error::LoopError;
use super::join::{Settle, State};
#[cfg(feature = "signal")]
use super::signal::Signal;

pub(super) struct MainTask {
    state: Rc<State<()>>,
    waker: RefCell<Option<Waker>>,
    /// The end of its grace, once it was asked to end.
    grace: Cell<Option<CallKey>>,
    #[cfg(feature = "signal")]
    asked_by: Cell<Option<Signal>>,
}

impl MainTask {
    fn new(core: &Rc<Core>, place: &'static Location<'static>) -> Rc<Self> {
        let name = Some(Rc::from("main"));
        Rc::new(Self {
            state: State::new(Control::new(core, name, place)),
            waker: RefCell::new(None),
            grace: Cell::new(None),
            #[cfg(feature = "signal")]
            asked_by: Cell::new(None),
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.control.waiters.is_done()
    }

    /// Asks it in an item of its own, as a signal does: who runs just now may be `main`, on its way to wait for [`cancelled`](EventLoop::cancelled).
    pub(super) fn ask_soon(self: Rc<Self>, core: &Rc<Core>, reason: CancelReason) {
        let place = self.state.control.place;
        let ask = move |lp: &EventLoop| {
            self.ask(&lp.core, reason);
            Ok(())
        };
        // A loop that is closed has dropped `main`.
        drop(core.soon(Action::Once(Box::new(ask)), place));
    }

    /// Asks it to end, with the loop's grace to clean up. Nothing happens after its end.
    pub(super) fn ask(self: &Rc<Self>, core: &Rc<Core>, reason: CancelReason) {
        let control = &self.state.control;
        if !control.cancel(Stage::Asked, reason) || self.grace.get().is_some() {
            return;
        }
        // The timer of its control is for what is in the table of tasks.
        let task = Rc::downgrade(self);
        let abort = move |_: &EventLoop| {
            if let Some(task) = task.upgrade() {
                let control = &task.state.control;
                control.cancel(Stage::Aborted, CancelReason::Requested);
                task.wake();
            }
            Ok(())
        };
        let at = after(core.shared.now(), core.settings.grace);
        let timer = core.at(at, Action::Once(Box::new(abort)), control.place);
        self.grace.set(timer.ok());
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn end_grace(&self, core: &Core) {
        if let Some(timer) = self.grace.take() {
            drop(core.cancel(timer));
        }
    }
}

impl EventLoop {
    /// Runs until `main` has ended. `None` if it was asked to end and gave no result.
    pub(super) fn run_main<T>(
        &self,
        place: &'static Location<'static>,
        main: impl Future<Output = T>,
    ) -> Result<Option<T>, LoopError> {
        let core = &self.core;
        let task = MainTask::new(core, place);
        drop(core.main.replace(Some(Rc::clone(&task))));
        if core.stopping.replace(false) {
            task.ask(core, CancelReason::Stop);
        }
        // Dropped inside the run, as every task is.
        let mut main = Some(Box::pin(main));
        let control = &task.state.control;
        let ended = poll_fn(|cx| {
            let Some(future) = &mut main else {
                return Poll::Pending;
            };
            let polled = if control.is_over() {
                Poll::Pending
            } else {
                drop(task.waker.replace(Some(cx.waker().clone())));
                control.started.set(true);
                let _current = Current::enter(core, &task.state);
                future.as_mut().poll(cx)
            };
            match polled {
                Poll::Ready(value) => {
                    main = None;
                    Poll::Ready(Some(value))
                }
                Poll::Pending if control.is_over() => {
                    let _because = control.reason().map(cancel::because);
                    main = None;
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            }
        });
        let ended = self.run_until_complete(ended);
        task.end_grace(core);
        task.state.finish(Ok(()));
        ended
    }
}

#[cfg(feature = "signal")]
impl MainTask {
    /// The first signal that asked for its end.
    pub(super) fn asked_by(&self) -> Option<Signal> {
        self.asked_by.get()
    }

    pub(super) fn ask_by(self: &Rc<Self>, core: &Rc<Core>, signal: Signal) {
        if !self.is_over() && self.asked_by.get().is_none() {
            self.asked_by.set(Some(signal));
        }
        self.ask(core, CancelReason::Signal(signal));
    }
}

#[cfg(feature = "signal")]
impl EventLoop {
    /// No signal stops the loop any more.
    pub(super) fn end_main(&self, place: &'static Location<'static>) {
        let task = MainTask::new(&self.core, place);
        task.state.finish(Ok(()));
        drop(self.core.main.replace(Some(task)));
    }
}

/// `main` is the current task while it is polled.
struct Current<'c> {
    core: &'c Core,
    before: Cell<Option<Rc<dyn Settle>>>,
}

impl<'c> Current<'c> {
    fn enter(core: &'c Core, state: &Rc<State<()>>) -> Self {
        let state: Rc<dyn Settle> = Rc::clone(state) as _;
        Self {
            core,
            before: Cell::new(core.current_task.replace(Some(state))),
        }
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        drop(self.core.current_task.replace(self.before.take()));
    }
}
