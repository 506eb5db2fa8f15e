//! What is to be called: at once, or at its time. Each has a key with a generation, so that an old handle means nothing new.

use std::panic::Location;
use std::task::Waker;
use std::time::Instant;

use slotmap::{SlotMap, new_key_type};

use super::EventLoop;
use super::every::Every;
use super::outcome::Ended;
use super::timers::Due;

new_key_type! {
    pub(super) struct CallKey;
}

pub(super) struct Call {
    pub(super) action: Action,
    /// The bus that was current when it was scheduled.
    pub(super) bus: u64,
    pub(super) place: &'static Location<'static>,
    /// While it is in the heap.
    due: Option<Due>,
}

pub(super) enum Action {
    Once(Box<dyn FnOnce(&EventLoop) -> Ended>),
    /// The same, because a future is done.
    Done(Box<dyn FnOnce(&EventLoop) -> Ended>),
    Every(Box<Every>),
    Wake(Waker),
    /// A periodic one that runs just now.
    Running,
}

impl Call {
    pub(super) fn new(action: Action, bus: u64, place: &'static Location<'static>) -> Self {
        Self {
            action,
            bus,
            place,
            due: None,
        }
    }
}

#[derive(Default)]
pub(super) struct Calls(SlotMap<CallKey, Call>);

impl Calls {
    pub(super) fn insert(&mut self, call: Call) -> CallKey {
        self.0.insert(call)
    }

    pub(super) fn get(&self, key: CallKey) -> Option<&Call> {
        self.0.get(key)
    }

    pub(super) fn get_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.0.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: CallKey) -> Option<Call> {
        self.0.remove(key)
    }

    pub(super) fn contains(&self, key: CallKey) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn due(&self, key: CallKey) -> Option<Due> {
        self.0.get(key)?.due
    }

    pub(super) fn set_due(&mut self, key: CallKey, due: impl Into<Option<Due>>) {
        if let Some(call) = self.0.get_mut(key) {
            call.due = due.into();
        }
    }

    /// Another deadline, from which a periodic call goes on counting.
    pub(super) fn reset(&mut self, key: CallKey, at: Instant, due: Due) {
        if let Some(call) = self.0.get_mut(key) {
            call.due = Some(due);
            if let Action::Every(every) = &mut call.action {
                every.at = at;
            }
        }
    }

    /// All that is left, in no order.
    pub(super) fn drain(&mut self) -> Vec<Call> {
        self.0.drain().map(|(_, call)| call).collect()
    }
}

impl Call {
    pub(super) fn is_timer(&self) -> bool {
        self.due.is_some() || matches!(self.action, Action::Every(_))
    }

    pub(super) fn due(&self) -> Option<Due> {
        self.due
    }
}
