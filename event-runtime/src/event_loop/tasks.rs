//! The tasks of a loop, and what wakes them.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::task::{Wake, Waker};

use slotmap::{Key as _, KeyData, SlotMap, new_key_type};

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
    pub(super) run: Option<Run>,
    pub(super) bell: Arc<Bell>,
    pub(super) bus: u64,
    pub(super) end: Rc<dyn Settle>,
}

/// What a step needs.
pub(super) struct Run {
    pub(super) body: Body,
    /// Of the task's bell.
    pub(super) waker: Waker,
}

/// Wakes a task from any thread. It holds no part of the task, so it may outlive the loop, and be dropped anywhere.
pub(super) struct Bell {
    shared: Arc<Shared>,
    /// The task's key. A bell that nobody else holds any more is used for another task.
    key: AtomicU64,
    /// It is in the queue already.
    rung: AtomicBool,
}

impl Bell {
    /// The bell of a run's future.
    pub(super) fn of_run(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            key: AtomicU64::new(TaskKey::null().data().as_ffi()),
            rung: AtomicBool::new(false),
        })
    }

    /// One that is still to get a task's key.
    #[cold]
    fn with_waker(shared: &Arc<Shared>) -> (Arc<Self>, Waker) {
        let bell = Self::of_run(shared);
        (Arc::clone(&bell), Waker::from(bell))
    }

    fn key(&self) -> TaskKey {
        KeyData::from_ffi(self.key.load(Ordering::Relaxed)).into()
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
                    core.push(Item::Step(self.key()));
                }
            }
            // A closed loop has dropped the task.
            None => drop(self.shared.post(Message::Step(self.key()))),
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
pub(super) struct Tasks {
    slots: SlotMap<TaskKey, Slot>,
    /// Bells of tasks that have ended: never more than there were tasks at one time.
    spare: Vec<(Arc<Bell>, Waker)>,
}

impl Tasks {
    /// Adds a task, whose first step is put into the queue by the caller.
    pub(super) fn insert(
        &mut self,
        shared: &Arc<Shared>,
        body: Body,
        bus: u64,
        end: Rc<dyn Settle>,
    ) -> TaskKey {
        let spare = self.spare.pop();
        let (bell, waker) = spare.unwrap_or_else(|| Bell::with_waker(shared));
        let run = Some(Run { body, waker });
        let key = self.slots.insert(Slot {
            run,
            bell,
            bus,
            end,
        });
        let slot = &self.slots[key];
        slot.bell.key.store(key.data().as_ffi(), Ordering::Relaxed);
        slot.bell.mark();
        slot.end.control().key.set(key);
        key
    }

    /// Keeps the bell of a task that has ended for another one, unless somebody could still ring it.
    pub(super) fn keep(&mut self, bell: Arc<Bell>, waker: Waker) {
        // The two that are given here.
        if Arc::strong_count(&bell) == 2 {
            // What other threads did with it comes before what is done with it next.
            fence(Ordering::Acquire);
            self.spare.push((bell, waker));
        }
    }

    pub(super) fn get_mut(&mut self, key: TaskKey) -> Option<&mut Slot> {
        self.slots.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: TaskKey) -> Option<Slot> {
        self.slots.remove(key)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn ends(&self) -> Vec<Rc<dyn Settle>> {
        self.iter().map(|slot| Rc::clone(&slot.end)).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.values()
    }

    /// All that are left. The loop has no more.
    pub(super) fn drain(&mut self) -> Vec<Slot> {
        self.spare = Vec::new();
        self.slots.drain().map(|(_, slot)| slot).collect()
    }
}
