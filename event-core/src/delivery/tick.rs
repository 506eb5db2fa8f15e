//! The event that a listener with `every` hears: it is never emitted, each such listener is given its own. And a tick as a delivery.

use std::fmt;
use std::sync::Arc;

use crate::bus::Inner;
use crate::delivery::lane::{Berth, Origin};
use crate::dispatch::stack::{Entry, SUBSCRIPTION};
use crate::dispatch::table::Cell;
use crate::event::slot::Slot;
use crate::event::{Event, EventInfo, EventOps, Probe, Sharing};
use crate::interceptor::Emitted;
use crate::listener::ListenerInfo;
use crate::listener::hear::SharedAny;

/// One tick.
#[doc(hidden)]
pub struct Tick(());

static INFO: EventInfo = EventInfo::new("tidings.tick", 1, "event_core::tick::Tick").with_generic();

impl Tick {
    /// What a delivery of a tick keeps.
    pub fn share() -> Arc<Self> {
        Arc::new(Self(()))
    }

    /// The same for who knows no type.
    pub fn share_any() -> SharedAny {
        SharedAny {
            ops: Self::__ops(),
            payload: Self::share(),
        }
    }
}

// Without a slot and unknown to the linker, as an instantiation of a generic event is: a program without ticks has nothing of this.
impl Event for Tick {
    const TOPIC: &'static str = "tidings.tick";
    const VERSION: u32 = 1;
    const __STOPPABLE: bool = false;

    fn __slot() -> Option<&'static Slot<Self>> {
        None
    }

    fn __info() -> &'static EventInfo {
        &INFO
    }

    fn __ops() -> &'static EventOps {
        const { &EventOps::of::<Tick>() }
    }

    fn __share() -> Option<Sharing<Self>> {
        Probe::<Self>::new().share()
    }
}

impl fmt::Debug for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tick")
    }
}

impl Berth {
    /// Whether the bus lives and no shutdown has begun.
    pub fn is_open(&self) -> bool {
        self.bus().is_some_and(|bus| bus.work.is_open())
    }

    /// Where the next tick of the listener comes from. `None` when the bus is gone.
    pub fn tick(&self) -> Option<Origin> {
        let (bus, listener) = self.bus().zip(self.listener())?;
        let number = bus.interceptor().map_or(0, |interceptor| {
            let tick = Emitted {
                ops: Tick::__ops(),
                payload: Some(Tick::share()),
                location: Some(listener.location()),
                depth: 1,
                cause: None,
            };
            interceptor.emitted(tick).0
        });
        Some(Origin {
            own: Entry::alone(bus.id, Tick::__ops(), place(&bus, &listener), number),
            ops: Tick::__ops(),
            depth: 1,
            cause: None,
        })
    }
}

/// Where a listener stands among those with ticks, for who asks for the cause of what it emits.
fn place(bus: &Arc<Inner>, listener: &ListenerInfo) -> u64 {
    let is = |other: &ListenerInfo| {
        other.location() == listener.location() && other.id() == listener.id()
    };
    let find = |cell: &Cell| {
        let linked = cell.infos.iter().position(is).map(|at| at as u64);
        let subs = || cell.overlay.load();
        linked.or_else(|| {
            let subs = subs();
            let attached = subs.iter().find(|sub| is(&sub.info));
            attached.map(|sub| SUBSCRIPTION | sub.id)
        })
    };
    let found = bus.with_cell(Tick::__ops(), find).flatten();
    found.unwrap_or(u64::MAX)
}
