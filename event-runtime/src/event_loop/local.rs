//! The loops of this thread: the one that runs, those that were entered, and all that live here.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::core::Core;
use super::shared::Shared;

#[derive(Default)]
struct Local {
    running: Option<Rc<Core>>,
    /// Each with the number of its guard.
    entered: Vec<(u64, Weak<Core>)>,
    guards: u64,
    homes: Vec<(u64, Weak<Core>)>,
}

thread_local! {
    static LOCAL: RefCell<Local> = RefCell::default();
}

/// A loop was made on this thread.
pub(super) fn add(core: &Rc<Core>) {
    let home = (core.shared.id, Rc::downgrade(core));
    LOCAL.with_borrow_mut(|local| local.homes.push(home));
}

pub(super) fn remove(id: u64) {
    // On a thread that ends there is nothing left to take it out of.
    let _ = LOCAL.try_with(|local| local.borrow_mut().homes.retain(|(other, _)| *other != id));
}

/// The loop itself, if this is its thread.
pub(super) fn find(shared: &Arc<Shared>) -> Option<Rc<Core>> {
    let find = |local: &RefCell<Local>| {
        let local = local.borrow();
        if let Some(core) = &local.running {
            if Arc::ptr_eq(&core.shared, shared) {
                return Some(Rc::clone(core));
            }
        }
        let home = local.homes.iter().find(|(id, _)| *id == shared.id)?;
        home.1.upgrade()
    };
    LOCAL.try_with(find).ok().flatten()
}

/// The loop that runs here, else the one entered last.
pub(super) fn current() -> Option<Rc<Core>> {
    let current = |local: &RefCell<Local>| {
        let local = local.borrow();
        let mut entered = local.entered.iter().rev();
        let entered = || entered.find_map(|(_, core)| core.upgrade());
        local.running.clone().or_else(entered)
    };
    // A thread that ends has none.
    LOCAL.try_with(current).ok().flatten()
}

pub(super) fn running() -> Option<Rc<Core>> {
    let running = |local: &RefCell<Local>| local.borrow().running.clone();
    LOCAL.try_with(running).ok().flatten()
}

/// The loop that runs, until this is dropped.
pub(super) struct Running(());

impl Running {
    pub(super) fn begin(core: &Rc<Core>) -> Self {
        core.running.set(true);
        let before = LOCAL.with_borrow_mut(|local| local.running.replace(Rc::clone(core)));
        debug_assert!(before.is_none(), "a nested run is refused before");
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(core) = LOCAL.with_borrow_mut(|local| local.running.take()) {
            core.running.set(false);
        }
    }
}

/// Makes a loop the current one of this thread while none runs, until this is dropped.
#[derive(Debug)]
#[must_use = "the loop is current until this is dropped"]
pub struct Entered {
    guard: u64,
    /// Not for other threads.
    _home: std::marker::PhantomData<Rc<()>>,
}

pub(super) fn enter(core: &Rc<Core>) -> Entered {
    let guard = LOCAL.with_borrow_mut(|local| {
        local.guards += 1;
        local.entered.push((local.guards, Rc::downgrade(core)));
        local.guards
    });
    Entered {
        guard,
        _home: std::marker::PhantomData,
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = LOCAL.try_with(|local| {
            let entered = &mut local.borrow_mut().entered;
            entered.retain(|(guard, _)| *guard != self.guard);
        });
    }
}
