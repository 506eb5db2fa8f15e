//! One turn: what came from other threads, the timers that are due, and then as many items as were ready.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use event_core::private::panic_message;
use event_core::private::scope::Scope;
use slotmap::Key as _;

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::calls::{Action, Call, CallKey};
use super::cancel::{self, CancelReason};
use super::core::{Core, Item};
use super::driver::Next;
use super::failure::{LoopFailure, LoopItem};
use super::join::JoinError;
use super::outcome::Ended;
use super::shared::{Message, Nanos};
use super::tasks::{Bell, Run, Slot, TaskKey};

/// What a run is for.
pub(super) struct Goal<'g> {
    /// Polls the run's future; whether it has ended.
    pub(super) main: Option<Main<'g>>,
    /// Nothing to do is an end.
    pub(super) until_idle: bool,
    /// One turn is enough, and it waits until then at most.
    pub(super) once: Option<Nanos>,
    pub(super) ran: Cell<usize>,
    /// Whether it was stopped.
    pub(super) stopped: Cell<bool>,
}

/// The future of a run, which is no task: it may borrow.
pub(super) struct Main<'g> {
    pub(super) poll: &'g mut dyn FnMut(&mut Context<'_>) -> bool,
    pub(super) bell: Arc<Bell>,
    pub(super) waker: Waker,
    pub(super) ended: bool,
}

impl Core {
    pub(super) fn turn(self: &Rc<Self>, lp: &EventLoop, goal: &mut Goal<'_>) -> Next {
        if self.closed.get() {
            return Next::Done;
        }
        if self.shared.has_mail.load(Ordering::Acquire) {
            self.take_mail();
        }
        self.take_due();
        let ready = self.ready.borrow().len();
        let stopping = self.is_stopping();
        if ready == 0 && !stopping {
            return self.when_nothing_is_ready(goal);
        }
        for _ in 0..ready {
            let item = self.ready.borrow_mut().pop_front();
            if let Some(item) = item {
                self.run(lp, item, goal);
            }
            // Whoever owns the loop may have dropped it.
            if self.fatal.borrow().is_some() || self.closed.get() {
                return Next::Done;
            }
        }
        if self.is_stopping() || goal.once.is_some() {
            return Next::Done;
        }
        self.after_turn(goal)
    }

    fn is_stopping(self: &Rc<Self>) -> bool {
        if self.shared.take_stop() {
            self.stop();
        }
        self.stopping.get()
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.borrow().is_empty() || self.shared.has_mail.load(Ordering::Acquire)
    }

    fn after_turn(&self, goal: &Goal<'_>) -> Next {
        if self.has_ready() {
            return Next::Again;
        }
        // What the clock never reaches is nothing to wait for.
        let reaches = |at: &Nanos| self.shared.reaches(*at);
        let next = self.next_deadline().filter(reaches);
        if goal.until_idle && next.is_none() && !self.has_threads() {
            return Next::Done;
        }
        // The clock stands still while something else than the loop works for it.
        let stands = self.shared.is_virtual() && self.has_threads();
        let once = goal.once.filter(reaches);
        let until = next.into_iter().chain(once).filter(|_| !stands).min();
        Next::Wait(until)
    }

    fn when_nothing_is_ready(&self, goal: &Goal<'_>) -> Next {
        match goal.once {
            Some(until) if until <= self.shared.now_in_nanos() => Next::Done,
            _ => self.after_turn(goal),
        }
    }

    pub(super) fn has_threads(&self) -> bool {
        !self.calls_of_threads.borrow().is_empty()
    }

    /// The earliest timer.
    pub(super) fn next_deadline(&self) -> Option<Nanos> {
        let mut timers = self.timers.borrow_mut();
        timers.next(&mut self.calls.borrow_mut())
    }

    fn take_mail(&self) {
        for message in self.shared.take() {
            match message {
                Message::Step(key) => self.push(Item::Step(key)),
                Message::Nothing => {}
                Message::Call(call) => {
                    let call = Call::new(Action::Once(call.f), call.bus, call.place);
                    let key = self.calls.borrow_mut().insert(call);
                    self.push(Item::Call(key));
                }
            }
        }
    }

    fn take_due(&self) {
        let mut timers = self.timers.borrow_mut();
        if timers.places() == 0 {
            self.turn_time.set(None);
            return;
        }
        let now = self.shared.now_in_nanos();
        self.turn_time.set(Some(now));
        let mut calls = self.calls.borrow_mut();
        let mut ready = self.ready.borrow_mut();
        while let Some(key) = timers.pop(now, &mut calls) {
            ready.push_back(Item::Call(key));
        }
    }

    fn run(self: &Rc<Self>, lp: &EventLoop, item: Item, goal: &mut Goal<'_>) {
        goal.ran.set(goal.ran.get() + 1);
        let begun = self.settings.slow.map(|_| self.shared.now());
        match item {
            Item::Call(key) => self.call(lp, key),
            Item::Step(key) if key.is_null() => self.step_main(goal),
            Item::Step(key) => self.step(key),
            Item::Stop => self.stopping.set(true),
        }
        if let Some((slow, begun)) = self.settings.slow.zip(begun) {
            if self.shared.now().saturating_duration_since(begun) >= slow {
                self.slow_items.set(self.slow_items.get() + 1);
            }
        }
    }

    fn call(self: &Rc<Self>, lp: &EventLoop, key: CallKey) {
        let mut calls = self.calls.borrow_mut();
        let Some(call) = calls.get_mut(key) else {
            // It was taken back.
            return;
        };
        if let Action::Every(_) = call.action {
            if call.due().is_some() {
                // It was put off after its time had come.
                return;
            }
            let action = std::mem::replace(&mut call.action, Action::Running(None));
            let (bus, place) = (call.bus, call.place);
            drop(calls);
            let _scope = Scope::enter(bus);
            return self.call_again(lp, key, action, place);
        }
        let call = calls.remove(key);
        drop(calls);
        let Some(call) = call else { return };
        let _scope = Scope::enter(call.bus);
        let (item, f) = match call.action {
            Action::Once(f) => (LoopItem::Callback, f),
            Action::Done(f) => (LoopItem::DoneCallback, f),
            Action::Wake(waker) => return self.wake(waker, call.place),
            Action::WhenDone(_) | Action::Every(_) | Action::Running(_) => return,
        };
        match catch_unwind(AssertUnwindSafe(|| f(lp))) {
            Ok(Ok(())) => {}
            ended => self.failed(item, call.place, ended),
        }
    }

    /// Wakes whoever waits; an executor's waker may panic.
    pub(super) fn wake(&self, waker: Waker, place: &'static std::panic::Location<'static>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            self.fail(&LoopFailure::panicked(LoopItem::Waker, place, panic));
        }
    }

    fn call_again(
        self: &Rc<Self>,
        lp: &EventLoop,
        key: CallKey,
        mut action: Action,
        place: &'static std::panic::Location<'static>,
    ) {
        let Action::Every(every) = &mut action else {
            return;
        };
        let ended = catch_unwind(AssertUnwindSafe(|| (every.f)(lp)));
        let mut calls = self.calls.borrow_mut();
        // It may have set its own time, from which it goes on counting.
        let next = match calls.get(key).map(|call| &call.action) {
            Some(Action::Running(Some(at))) => {
                every.at = *at;
                Some(*at)
            }
            _ => every.next(self.shared.now()),
        };
        // It may have taken itself back.
        let left = match (calls.get_mut(key), next) {
            (Some(call), Some(at)) => {
                call.action = action;
                let mut timers = self.timers.borrow_mut();
                let due = timers.due(self.shared.nanos(at));
                timers.insert(due, key);
                calls.set_due(key, due);
                None
            }
            (_, _) => Some((action, calls.remove(key))),
        };
        drop(calls);
        drop_quietly(left);
        self.failed(LoopItem::Callback, place, ended);
    }

    #[cold]
    fn failed(
        &self,
        item: LoopItem,
        place: &'static std::panic::Location<'static>,
        ended: std::thread::Result<Ended>,
    ) {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(&LoopFailure::error(item, place, error)),
            Err(panic) => self.fail(&LoopFailure::panicked(item, place, panic)),
        }
    }

    fn step_main(&self, goal: &mut Goal<'_>) {
        let Some(main) = &mut goal.main else {
            // Woken by an earlier run's future.
            return;
        };
        main.bell.reset();
        if main.ended {
            return;
        }
        let _scope = Scope::enter(self.main_bus.get());
        if (main.poll)(&mut Context::from_waker(&main.waker)) {
            main.ended = true;
            // As a callback of the future would: what is ready now still comes before the end.
            self.push(Item::Stop);
        }
    }

    fn step(self: &Rc<Self>, key: TaskKey) {
        let mut tasks = self.tasks.borrow_mut();
        let Some(slot) = tasks.get_mut(key) else {
            return;
        };
        slot.bell.reset();
        let Some(mut run) = slot.run.take() else {
            return;
        };
        let (end, bus) = (Rc::clone(&slot.end), slot.bus);
        drop(tasks);
        let _scope = Scope::enter(bus);
        let control = end.control();
        if control.is_over() {
            let _because = control.reason().map(cancel::because);
            return self.end_task(key, run, || end.settle(JoinError::Cancelled));
        }
        control.started.set(true);
        let before = self.current_task.replace(Some(end));
        let Run { body, waker } = &mut run;
        let poll = || body.as_mut().poll(&mut Context::from_waker(waker));
        let polled = catch_unwind(AssertUnwindSafe(poll));
        let end = self.current_task.replace(before);
        match polled {
            Ok(Poll::Pending) => {
                if let Some(slot) = self.tasks.borrow_mut().get_mut(key) {
                    slot.run = Some(run);
                    return;
                }
                // It dropped the loop.
                drop_quietly(run);
            }
            Ok(Poll::Ready(())) => self.end_task(key, run, || ()),
            Err(panic) => {
                let error = JoinError::Panicked(panic_message(panic));
                self.end_task(key, run, || {
                    if let Some(end) = &end {
                        end.settle(error);
                    }
                });
            }
        }
    }

    /// Lets go of a task's future, and then of whoever waits for its end.
    fn end_task(&self, key: TaskKey, run: Run, settle: impl FnOnce()) {
        let slot = self.tasks.borrow_mut().remove(key);
        let Run { body, waker } = run;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(body))) {
            if let Some(slot) = &slot {
                let control = slot.end.control();
                let failure = LoopFailure::panicked(LoopItem::Task, control.place, panic);
                self.fail(&failure.named(control.name.clone()));
            }
        }
        settle();
        if let Some(Slot { bell, end, .. }) = slot {
            self.tasks.borrow_mut().keep(bell, waker);
            drop_quietly(end);
        }
    }

    /// Has a task dropped at its next step.
    pub(super) fn abort(&self, key: TaskKey) {
        let end = self
            .tasks
            .borrow_mut()
            .get_mut(key)
            .map(|slot| Rc::clone(&slot.end));
        if let Some(end) = end {
            (end.control()).cancel(super::control::Stage::Aborted, CancelReason::Requested);
        }
    }

    /// Gives a task a step.
    pub(super) fn ring(&self, key: TaskKey) {
        let bell = self
            .tasks
            .borrow_mut()
            .get_mut(key)
            .map(|slot| Arc::clone(&slot.bell));
        if let Some(bell) = bell {
            bell.ring();
        }
    }
}
