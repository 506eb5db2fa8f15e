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
    /// The same, once the future is.
    WhenDone(Box<dyn FnOnce(&EventLoop) -> Ended>),
    Every(Box<Every>),
    Wake(Waker),
    /// A periodic one that runs just now, with the time that it was set to meanwhile.
    Running(Option<Instant>),
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

    /// Whether it is a periodic call that does not run just now.
    pub(super) fn is_periodic(&self, key: CallKey) -> bool {
        let call = self.0.get(key);
        call.is_some_and(|call| matches!(call.action, Action::Every(_)))
    }

    pub(super) fn set_due(&mut self, key: CallKey, due: impl Into<Option<Due>>) {
        if let Some(call) = self.0.get_mut(key) {
            call.due = due.into();
        }
    }

    /// The future that a call waits for is done; whether the call is there still.
    pub(super) fn done(&mut self, key: CallKey) -> bool {
        let Some(call) = self.0.get_mut(key) else {
            return false;
        };
        call.action = match std::mem::replace(&mut call.action, Action::Running(None)) {
            Action::WhenDone(f) => Action::Done(f),
            other => other,
        };
        true
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

    /// Sets the next time of a periodic call that runs just now; whether it is one.
    pub(super) fn reset_running(&mut self, key: CallKey, at: Instant) -> bool {
        match self.0.get_mut(key).map(|call| &mut call.action) {
            Some(Action::Running(next)) => {
                *next = Some(at);
                true
            }
            _ => false,
        }
    }

    /// All that is left, in no order.
    pub(super) fn drain(&mut self) -> Vec<Call> {
        self.0.drain().map(|(_, call)| call).collect()
    }
}

impl Call {
    /// It waits for a future, and its turn is not sure to come.
    pub(super) fn waits(&self) -> bool {
        matches!(self.action, Action::WhenDone(_))
    }

    pub(super) fn is_timer(&self) -> bool {
        self.due.is_some() || matches!(self.action, Action::Every(_))
    }

    pub(super) fn due(&self) -> Option<Due> {
        self.due
    }

    /// A timer.
    pub(super) fn at(self, due: Due) -> Self {
        let due = Some(due);
        Self { due, ..self }
    }
}
