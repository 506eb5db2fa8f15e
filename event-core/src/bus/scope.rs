//! The current bus, for what runs outside of every listener and on behalf of somebody.

use std::panic::Location;
use std::sync::Arc;

use crate::bus::Bus;
use crate::bus::current::installed;
use crate::bus::subscription::Subscription;
use crate::delivery::lane::Offer;
use crate::dispatch::emission::Emission;
use crate::dispatch::stack;
use crate::dispatch::table::Run;
use crate::event::Event;
use crate::listener::ListenerInfo;

/// The bus of the free `emit` here, by its number: the listener's or the scope's, else the installed one; 0 if `emit` would take the default one.
pub fn current_bus() -> u64 {
    match stack::with(stack::Stack::current_bus) {
        0 => installed(),
        bus => bus,
    }
}

/// The number of a bus, for as long as it lives.
pub fn number_of(bus: &Bus) -> u64 {
    bus.inner().id
}

/// Makes a bus the current one of this thread, outside of every listener, until it is dropped.
#[derive(Debug)]
pub struct Scope(u64);

impl Scope {
    /// Of a number that [`current_bus`] gave.
    pub fn enter(bus: u64) -> Self {
        Self(stack::with(|stack| stack.set_scope(bus)))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        stack::with(|stack| stack.set_scope(self.0));
    }
}

/// Runs `f` as if no delivery were under way on this thread.
pub fn outside<R>(f: impl FnOnce() -> R) -> R {
    stack::with(|stack| {
        let _resumed = stack.resume(&[]);
        f()
    })
}

/// Whether async deliveries of an emission wait for somebody who drives them.
pub fn is_open(emission: &Emission) -> bool {
    emission.is_open()
}

/// Whether anybody has heard an emission so far, or will.
pub fn is_heard(emission: &Emission) -> bool {
    emission.reached()
}

/// Subscribes a queue outside of the bus. `offer` says whether it took the event in; if not, it counts as not there.
pub fn queue<E: Event + Send + Sync>(
    bus: &Bus,
    place: &'static Location<'static>,
    offer: impl Fn(Arc<E>) -> bool + Send + Sync + 'static,
) -> Subscription {
    let info = ListenerInfo::dynamic(E::TOPIC, place);
    let run = Run::<E>::Queue(Box::new(move |event: Arc<E>, _| {
        if offer(event) {
            Offer::Accepted
        } else {
            Offer::Absent
        }
    }));
    let id = bus.inner().subscribe(info, |_| run);
    Subscription::new(bus.inner(), vec![(id, Some(E::__ops()))])
}
