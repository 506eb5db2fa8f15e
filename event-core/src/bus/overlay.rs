//! What is subscribed while the program runs: one list an event, read without a lock, and a flag that says whether to look at it.
//!
//! Writers hold the bus's lock; readers load the flag, and the list only if the flag is up. A change is seen by the next emission that
//! happens after it; an emission that runs meanwhile sees the list it began with.

use crate::sync::Arc;
use crate::sync::Swap;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Nobody hears the event: an emission returns at once.
pub(crate) const NOBODY: u8 = 0;
/// Only functions of the event and nothing else hear it.
pub(crate) const PLAIN: u8 = 1;
/// Only inline listeners hear it.
pub(crate) const INLINE: u8 = 2;
/// Async listeners, subscriptions, a rule for unheard events, or a bus that is shut down: every step is looked at.
pub(crate) const FULL: u8 = 3;

/// How an event's emissions have to run, at a glance.
pub(crate) struct Flag {
    mode: AtomicU8,
    /// Without subscriptions.
    linked: AtomicU8,
    /// There may be subscriptions.
    subscribed: AtomicBool,
}

impl Flag {
    pub(crate) fn new(linked: u8) -> Self {
        Self {
            mode: AtomicU8::new(linked),
            linked: AtomicU8::new(linked),
            subscribed: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(crate) fn mode(&self) -> u8 {
        self.mode.load(Ordering::Acquire)
    }

    /// Has the bus run its own table instead of the functions in the event's slot. Before anybody else has the bus.
    pub(crate) fn look_at_each(&self) {
        if self.mode() == PLAIN {
            self.linked.store(INLINE, Ordering::Release);
            self.mode.store(INLINE, Ordering::Release);
        }
    }

    /// Has every emission from here on look at whether the bus takes it. The caller holds the writers' lock.
    pub(crate) fn close(&self) {
        self.linked.store(FULL, Ordering::Release);
        self.mode.store(FULL, Ordering::Release);
    }
}

/// The subscriptions to one event, oldest first.
pub(crate) struct Overlay<T> {
    list: Swap<Vec<Arc<T>>>,
}

impl<T> Overlay<T> {
    pub(crate) fn new() -> Self {
        Self {
            list: Swap::new(Vec::new()),
        }
    }

    pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<Vec<Arc<T>>>> + use<T> {
        self.list.load()
    }

    /// What an emission has to run, if there is anything.
    pub(crate) fn of_now(
        &self,
        flag: &Flag,
    ) -> Option<impl std::ops::Deref<Target = Arc<Vec<Arc<T>>>> + use<T>> {
        flag.subscribed.load(Ordering::Acquire).then(|| self.load())
    }

    /// Adds at the end. The caller holds the writers' lock.
    pub(crate) fn push(&self, item: T, flag: &Flag) {
        let mut list = Vec::clone(&self.load());
        list.push(Arc::new(item));
        drop(self.list.replace(list));
        flag.subscribed.store(true, Ordering::Release);
        flag.mode.store(FULL, Ordering::Release);
    }

    /// Takes out what `gone` names. The caller holds the writers' lock, and drops what is returned only after it: the closures in it
    /// are the user's.
    pub(crate) fn remove(&self, gone: impl Fn(&T) -> bool, flag: &Flag) -> Arc<Vec<Arc<T>>> {
        let mut list = Vec::clone(&self.load());
        list.retain(|item| !gone(item));
        let empty = list.is_empty();
        let old = self.list.replace(list);
        if empty {
            flag.subscribed.store(false, Ordering::Release);
            flag.mode
                .store(flag.linked.load(Ordering::Acquire), Ordering::Release);
        }
        old
    }
}
