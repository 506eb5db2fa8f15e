//! Those who wait for events while the program runs: for the next one, or for all of them.
//!
//! Each is a subscription that takes an event as a queue does. It is told when no event will come any more.

mod buffer;
mod next;
mod stream;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Weak};

pub use next::{NextError, NextErrorKind, NextFuture};
pub use stream::EventStream;

use crate::bus::Inner;
use crate::bus::subscription::Subscription;
use crate::dispatch::stack;
use crate::dispatch::table::Run;
use crate::event::Event;
use crate::listener::ListenerInfo;
use crate::listener::hear::QueueFn;
use crate::sync::lock;

/// Can be told that nothing will come any more.
pub(crate) trait Ends: Send + Sync {
    fn end(&self);
}

/// Kept by the subscription: ends the wait when that is taken out, at the latest with the bus.
struct Held<T: Ends>(Arc<T>);

impl<T: Ends> Deref for Held<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T: Ends> Drop for Held<T> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Whose waits end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Deliveries of the bus: its shutdown waits for them.
    Inside,
    Everybody,
}

/// All of a bus, by the number of their subscription.
#[derive(Default)]
pub(crate) struct Waits(BTreeMap<u64, (Who, Weak<dyn Ends>)>);

impl Waits {
    pub(crate) fn remove(&mut self, id: u64) {
        self.0.remove(&id);
    }

    fn take(&mut self, who: Who) -> Vec<Weak<dyn Ends>> {
        let all = std::mem::take(&mut self.0);
        let (ending, staying) =
            (all.into_iter()).partition(|(_, (whose, _))| who == Who::Everybody || *whose == who);
        self.0 = staying;
        let ending: BTreeMap<u64, _> = ending;
        ending.into_values().map(|(_, wait)| wait).collect()
    }
}

impl Inner {
    /// Subscribes somebody who waits. Where no event will come for him, the wait has ended.
    ///
    /// Looked at under the writers' lock: who ends the waits takes it after it has closed the bus.
    fn wait<E: Event, T: Ends + 'static>(
        self: &Arc<Self>,
        info: ListenerInfo,
        wait: &Arc<T>,
        offer: impl FnOnce(u64, Held<T>) -> QueueFn<E>,
    ) -> Option<Subscription> {
        let inside = stack::with(|stack| stack.stands_on(self.id));
        let who = if inside { Who::Inside } else { Who::Everybody };
        let held = Held(Arc::clone(wait));
        let mut dynamic = lock(&self.dynamic);
        if self.no_more(who) {
            return None;
        }
        let id = dynamic.id();
        let weak: Weak<T> = Arc::downgrade(wait);
        dynamic.waits.0.insert(id, (who, weak));
        self.add(&dynamic, id, info, Run::<E>::Queue(offer(id, held)));
        drop(dynamic);
        Some(Subscription::new(self, vec![(id, Some(E::__ops()))]))
    }

    /// Tells somebody who waits for something else than an event of the end of the bus; nothing if it is closed.
    pub(crate) fn told_of_the_end(&self, who: Weak<dyn Ends>) -> Option<u64> {
        let mut dynamic = lock(&self.dynamic);
        if self.no_more(Who::Everybody) {
            return None;
        }
        let id = dynamic.id();
        dynamic.waits.0.insert(id, (Who::Everybody, who));
        Some(id)
    }

    pub(crate) fn told_no_more(&self, id: u64) {
        lock(&self.dynamic).waits.remove(id);
    }

    fn no_more(&self, who: Who) -> bool {
        match who {
            Who::Inside => !self.work.is_open(),
            Who::Everybody => self.work.is_closed(),
        }
    }

    /// Tells those who wait that nothing will come any more. Called when the bus is closed for them.
    pub(crate) fn end_waits(&self, who: Who) {
        let ending = lock(&self.dynamic).waits.take(who);
        for wait in ending.iter().filter_map(Weak::upgrade) {
            wait.end();
        }
    }
}
