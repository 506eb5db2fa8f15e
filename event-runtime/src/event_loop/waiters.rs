//! Who waits for a future to be done: tasks and callbacks in one list, in the order in which they came.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::task::Waker;

use event_core::private::scope::current_bus;
use slotmap::Key as _;

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::calls::{Action, Call, CallKey};
use super::core::{Core, Item};
use super::outcome::CallResult;

#[derive(Default)]
pub(super) struct Waiters {
    list: RefCell<List>,
    numbers: Cell<u64>,
    done: Cell<bool>,
}

/// Nearly always there is one, so the first needs no allocation.
#[derive(Default)]
struct List {
    first: Option<Waiter>,
    rest: Vec<Waiter>,
}

/// What can be waited for.
pub(super) trait HasWaiters {
    fn waiters(&self) -> &Waiters;

    fn core(&self) -> &Weak<Core>;
}

enum Waiter {
    /// With the number by which the one who waits knows it.
    Task(u64, Waker),
    /// It is among the loop's calls already.
    Call(CallKey),
}

impl Waiters {
    pub(super) fn is_done(&self) -> bool {
        self.done.get()
    }

    /// Has a task woken when it is done. A task that asks again keeps its place.
    pub(super) fn wake(&self, number: &mut Option<u64>, waker: &Waker) {
        let new = waker.clone();
        let mut list = self.list.borrow_mut();
        let old = number.and_then(|number| list.find(|waiter| waiter.is_task(number)));
        let old = if let Some(Waiter::Task(_, waker)) = old {
            Some(std::mem::replace(waker, new))
        } else {
            self.numbers.set(self.numbers.get() + 1);
            let fresh = self.numbers.get();
            *number = Some(fresh);
            list.push(Waiter::Task(fresh, new));
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
        let core = core.upgrade().filter(|core| !core.closed.get());
        let Some(core) = core else {
            drop_quietly(f);
            let key = CallKey::null();
            return DoneCallback { home, key };
        };
        let f = Box::new(move |lp: &EventLoop| f(lp).ended());
        let is_done = self.done.get();
        let action = if is_done {
            Action::Done(f)
        } else {
            Action::WhenDone(f)
        };
        let call = Call::new(action, current_bus(), place);
        let key = core.calls.borrow_mut().insert(call);
        if is_done {
            core.push(Item::Call(key));
        } else {
            self.list.borrow_mut().push(Waiter::Call(key));
        }
        DoneCallback { home, key }
    }

    /// Takes out a task that does not wait any more.
    pub(super) fn leave(&self, number: u64) {
        let gone = self
            .list
            .borrow_mut()
            .remove(|waiter| waiter.is_task(number));
        drop_quietly(gone);
    }

    /// Puts everybody who waits into the queue.
    pub(super) fn done(&self, core: Option<&Rc<Core>>, place: &'static Location<'static>) {
        if self.done.replace(true) {
            return;
        }
        let List { first, rest } = self.list.take();
        if let Some(first) = first {
            first.done(core, place);
        }
        for waiter in rest {
            waiter.done(core, place);
        }
    }
}

impl Waiter {
    fn done(self, core: Option<&Rc<Core>>, place: &'static Location<'static>) {
        match (self, core) {
            (Waiter::Task(_, waker), Some(core)) => core.wake(waker, place),
            // The wake is all that is left to do, and its panic has nobody to go to.
            (Waiter::Task(_, waker), None) => drop_quietly(Wakes(waker)),
            (Waiter::Call(key), Some(core)) => {
                if core.calls.borrow_mut().done(key) {
                    core.push(Item::Call(key));
                }
            }
            // The call is gone with its loop.
            (Waiter::Call(_), None) => {}
        }
    }

    fn is_task(&self, number: u64) -> bool {
        matches!(self, Waiter::Task(own, _) if *own == number)
    }

    fn is_call(&self, key: CallKey) -> bool {
        matches!(self, Waiter::Call(own) if *own == key)
    }
}

impl List {
    fn push(&mut self, waiter: Waiter) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(waiter);
        } else {
            self.rest.push(waiter);
        }
    }

    fn find(&mut self, is_it: impl Fn(&Waiter) -> bool) -> Option<&mut Waiter> {
        let mut all = self.first.iter_mut().chain(&mut self.rest);
        all.find(|waiter| is_it(waiter))
    }

    fn remove(&mut self, is_it: impl Fn(&Waiter) -> bool) -> Option<Waiter> {
        if self.first.as_ref().is_some_and(&is_it) {
            return self.first.take();
        }
        let at = self.rest.iter().position(is_it)?;
        Some(self.rest.remove(at))
    }
}

/// Wakes when it is dropped.
struct Wakes(Waker);

impl Drop for Wakes {
    fn drop(&mut self) {
        self.0.wake_by_ref();
    }
}

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list.borrow();
        let count = list.first.iter().chain(&list.rest).count();
        write!(f, "Waiters({count})")
    }
}

/// A callback that waits for a future to be done.
pub struct DoneCallback {
    home: Weak<dyn HasWaiters>,
    key: CallKey,
}

impl DoneCallback {
    /// Takes the callback back. `false` if the future is done, as its turn may have come then.
    pub fn remove(&self) -> bool {
        let Some(home) = self.home.upgrade() else {
            return false;
        };
        let mut list = home.waiters().list.borrow_mut();
        let was_there = list.remove(|waiter| waiter.is_call(self.key)).is_some();
        drop(list);
        if was_there {
            let core = home.core().upgrade();
            drop_quietly(core.and_then(|core| core.cancel(self.key)));
        }
        was_there
    }
}

impl fmt::Debug for DoneCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoneCallback").finish_non_exhaustive()
    }
}
