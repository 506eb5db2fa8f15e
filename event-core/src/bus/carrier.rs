//! The async listeners and the queues of one bus, for whoever has to ask each of them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use crate::bus::{Bus, Inner};
use crate::delivery::lane::{Berth, Lane, QueueStats};
use crate::delivery::{Flights, let_go};
use crate::listener::ListenerInfo;
use crate::sync::lock;

/// What carries the deliveries of one listener beyond their emission.
#[derive(Clone)]
pub(crate) struct Carrier {
    pub(crate) flights: Weak<Flights>,
    /// Has to be told the bus.
    pub(crate) berth: Option<Arc<Berth>>,
    pub(crate) lane: Option<Weak<dyn Lane>>,
}

impl Carrier {
    /// Whether anybody may deliver with it. A queue's own is kept here too, so others count.
    fn is_used(&self) -> bool {
        match &self.berth {
            Some(berth) => Arc::strong_count(berth) > 1,
            None => self.flights.strong_count() > 0,
        }
    }
}

/// All of a bus, in the order of the listeners, those of attached instances last.
#[derive(Default)]
pub(crate) struct Carried(Mutex<Vec<(ListenerInfo, Carrier)>>);

impl Carried {
    pub(crate) fn add(&self, bus: &Arc<Inner>, more: Vec<(ListenerInfo, Carrier)>) {
        let mut lanes = Vec::new();
        for (listener, carrier) in &more {
            if let Some(berth) = &carrier.berth {
                berth.open(bus, listener.clone());
            }
            lanes.extend(carrier.lane.as_ref().and_then(Weak::upgrade));
        }
        let mut carried = lock(&self.0);
        // Those of detached listeners go when the list would grow, so that neither they nor the search for them do.
        if carried.len() + more.len() > carried.capacity() {
            carried.retain(|(_, carrier)| carrier.is_used());
        }
        carried.extend(more);
        drop(carried);
        for lane in lanes {
            lane.open();
        }
    }

    pub(crate) fn list(&self) -> Vec<(ListenerInfo, Carrier)> {
        lock(&self.0).clone()
    }
}

impl Inner {
    /// What waits for its time is delivered; ticks end, and so do emissions whose time has not come.
    pub(crate) fn rest(&self) {
        self.laters
            .end(self, "the bus was shut down before its time");
        for (_, carrier) in self.carried.list() {
            if let Some(lane) = carrier.lane.and_then(|lane| lane.upgrade()) {
                lane.rest();
            }
        }
    }

    /// The last handle is gone: nobody waits any more, so what has not begun is told and let go.
    pub(crate) fn abandon_queues(&mut self) {
        for (listener, carrier) in self.carried.list() {
            let lane = carrier.lane.and_then(|lane| lane.upgrade());
            let Some(lane) = lane else { continue };
            lane.close();
            let left = lane.abandon();
            for _ in 0..left.waiting + left.in_backoff {
                drop(self.report(let_go(listener.clone())));
            }
        }
    }
}

impl Bus {
    /// The queues of this bus with their figures, in the order of their listeners; those of attached instances come last.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener]
    /// fn notice(_: &Placed) {}
    ///
    /// #[listener(queue = 1024)]
    /// fn book(_: &Placed) {}
    ///
    /// let bus = Bus::builder().build()?;
    /// bus.emit(Placed);
    /// bus.shutdown_blocking(Duration::from_secs(5))?;
    ///
    /// for (listener, figures) in bus.queues() {
    ///     assert_eq!((listener.function(), figures.delivered), ("book", 1));
    /// }
    /// assert_eq!(bus.queues().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn queues(&self) -> Vec<(ListenerInfo, QueueStats)> {
        let carried = self.inner().carried.list().into_iter();
        carried
            .filter_map(|(listener, carrier)| {
                let lane = carrier.lane?.upgrade()?;
                Some((listener, lane.stats()))
            })
            .collect()
    }
}

/// Values that the listeners of one bus share, one of each type.
#[derive(Default)]
pub(crate) struct Shared(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Shared {
    pub(crate) fn get<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(Ok(known)) = lock(&self.0)
            .get(&TypeId::of::<T>())
            .map(|value| Arc::clone(value).downcast::<T>())
        {
            return known;
        }
        let value = Arc::new(make());
        lock(&self.0).insert(TypeId::of::<T>(), Arc::clone(&value) as _);
        value
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}
