//! The tasks of a loop, and what wakes them.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use slotmap::{Key as _, SlotMap, new_key_type};

use super::core::Item;
use super::join::Settle;
use super::local;
use super::shared::{Message, Shared};

new_key_type! {
    /// The null key is the future of the run.
    pub(super) struct TaskKey;
}

/// A task's future, which gives its result to its handle itself.
pub(super) type Body = Pin<Box<dyn Future<Output = ()>>>;

pub(super) struct Slot {
    /// Not while it is polled.
    pub(super) body: Option<Body>,
    pub(super) bell: Arc<Bell>,
    pub(super) waker: Waker,
    pub(super) bus: u64,
    pub(super) end: Rc<dyn Settle>,
}

/// Wakes a task from any thread. It holds no part of the task, so it may outlive the loop, and be dropped anywhere.
pub(super) struct Bell {
    shared: Arc<Shared>,
    key: TaskKey,
    /// It is in the queue already.
    rung: AtomicBool,
}

impl Bell {
    pub(super) fn new(shared: &Arc<Shared>, key: TaskKey) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            key,
            rung: AtomicBool::new(false),
        })
    }

    /// The bell of a run's future.
    pub(super) fn of_run(shared: &Arc<Shared>) -> Arc<Self> {
        Self::new(shared, TaskKey::null())
    }

    /// It is put into the queue by somebody else.
    pub(super) fn mark(&self) {
        self.rung.store(true, Ordering::Release);
    }

    /// From here on it rings again.
    pub(super) fn reset(&self) {
        self.rung.store(false, Ordering::Release);
    }

    pub(super) fn ring(&self) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        match local::find(&self.shared) {
            Some(core) => {
                if !core.closed.get() {
                    core.push(Item::Step(self.key));
                }
            }
            // A closed loop has dropped the task.
            None => drop(self.shared.post(Message::Step(self.key))),
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

#[derive(Default)]
pub(super) struct Tasks(SlotMap<TaskKey, Slot>);

impl Tasks {
    pub(super) fn insert(&mut self, slot: impl FnOnce(TaskKey) -> Slot) -> TaskKey {
        self.0.insert_with_key(slot)
    }

    pub(super) fn get_mut(&mut self, key: TaskKey) -> Option<&mut Slot> {
        self.0.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: TaskKey) -> Option<Slot> {
        self.0.remove(key)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn ends(&self) -> Vec<Rc<dyn Settle>> {
        self.iter().map(|slot| Rc::clone(&slot.end)).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.values()
    }

    pub(super) fn drain(&mut self) -> Vec<Slot> {
        self.0.drain().map(|(_, slot)| slot).collect()
    }
}
