//! Who waits for a future to be done: tasks and callbacks in one list, in the order in which they came.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::task::Waker;

use event_core::private::scope::current_bus;

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::calls::{Action, Call};
use super::core::{Core, Item};
use super::outcome::CallResult;

#[derive(Default)]
pub(super) struct Waiters {
    list: RefCell<Vec<(u64, Waiter)>>,
    numbers: Cell<u64>,
    done: Cell<bool>,
}

/// What can be waited for.
pub(super) trait HasWaiters {
    fn waiters(&self) -> &Waiters;
}

enum Waiter {
    Task(Waker),
    Call(Call),
}

impl Waiters {
    pub(super) fn is_done(&self) -> bool {
        self.done.get()
    }

    fn number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Has a task woken when it is done. A task that asks again keeps its place.
    pub(super) fn wake(&self, number: &mut Option<u64>, waker: &Waker) {
        let new = waker.clone();
        let mut list = self.list.borrow_mut();
        let old = number.and_then(|number| list.iter_mut().find(|(other, _)| *other == number));
        let old = if let Some((_, waiter)) = old {
            Some(std::mem::replace(waiter, Waiter::Task(new)))
        } else {
            let fresh = self.number();
            *number = Some(fresh);
            list.push((fresh, Waiter::Task(new)));
            None
        };
        drop(list);
        drop_quietly(old);
    }

    /// Has a callback called when it is done: always in a turn of its own, never from here.
    pub(super) fn call<R: CallResult>(
        &self,
        home: Weak<dyn HasWaiters>,
        core: &Weak<Core>,
        place: &'static Location<'static>,
        f: impl FnOnce(&EventLoop) -> R + 'static,
    ) -> DoneCallback {
        let action = Action::Done(Box::new(move |lp| f(lp).ended()));
        let call = Call::new(action, current_bus(), place);
        let number = self.number();
        if self.done.get() {
            if let Some(core) = core.upgrade() {
                schedule(&core, call);
            }
        } else {
            self.list.borrow_mut().push((number, Waiter::Call(call)));
        }
        DoneCallback { home, number }
    }

    /// Takes out who does not wait any more; whether he did.
    pub(super) fn leave(&self, number: u64) -> bool {
        let mut list = self.list.borrow_mut();
        let at = list.iter().position(|(other, _)| *other == number);
        let gone = at.map(|at| list.remove(at));
        drop(list);
        let was_there = gone.is_some();
        drop_quietly(gone);
        was_there
    }

    /// Puts everybody who waits into the queue.
    pub(super) fn done(&self, core: Option<&Rc<Core>>, place: &'static Location<'static>) {
        if self.done.replace(true) {
            return;
        }
        for (_, waiter) in self.list.take() {
            match (waiter, core) {
                (Waiter::Task(waker), Some(core)) => core.wake(waker, place),
                // The wake is all that is left to do, and its panic has nobody to go to.
                (Waiter::Task(waker), None) => drop_quietly(Wakes(waker)),
                (Waiter::Call(call), Some(core)) => schedule(core, call),
                (Waiter::Call(call), None) => drop_quietly(call),
            }
        }
    }
}

/// Wakes when it is dropped.
struct Wakes(Waker);

impl Drop for Wakes {
    fn drop(&mut self) {
        self.0.wake_by_ref();
    }
}

fn schedule(core: &Rc<Core>, call: Call) {
    if core.closed.get() {
        return drop_quietly(call);
    }
    let key = core.calls.borrow_mut().insert(call);
    core.push(Item::Call(key));
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiters({})", self.list.borrow().len())
    }
}

/// A callback that waits for a future to be done.
pub struct DoneCallback {
    home: Weak<dyn HasWaiters>,
    number: u64,
}

impl DoneCallback {
    /// Takes the callback back. `false` if the future is done, as its turn may have come then.
    pub fn remove(&self) -> bool {
        self.home
            .upgrade()
            .is_some_and(|home| home.waiters().leave(self.number))
    }
}

impl fmt::Debug for DoneCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DoneCallback({})", self.number)
    }
}
