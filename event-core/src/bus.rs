//! The bus: a value that owns its tables, its state and its hook.

pub(crate) mod carrier;
pub(crate) mod current;
pub(crate) mod drained;
pub(crate) mod escape;
pub(crate) mod generic;
pub(crate) mod hook;
pub(crate) mod later;
pub(crate) mod methods;
pub(crate) mod overlay;
pub(crate) mod place;
pub(crate) mod scope;
pub(crate) mod shutdown;
pub(crate) mod subscription;
pub(crate) mod work;

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, RwLock, Weak};
use std::time::Instant;

use crate::build::builder::BusBuilder;
use crate::build::instrument::Instrument;
use crate::build::order::Edge;
use crate::build::state::StateMap;
use crate::build::tune::Tunes;
use crate::bus::carrier::{Carried, Carrier, Shared};
use crate::bus::generic::Generic;
use crate::bus::hook::{Hook, Once};
use crate::bus::later::Laters;
use crate::bus::shutdown::End;
use crate::bus::subscription::Dynamic;
use crate::bus::work::Work;
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::drop_guarded;
use crate::dispatch::table::Cell;
use crate::event::{Event, EventOps};
use crate::interceptor::Attempt;
use crate::listener::ListenerInfo;
use crate::listener::hear::AnyRun;
use crate::runtime::Runtime;
use crate::sync::{read, write};

/// Delivers events to listeners. A cheap handle: clones are the same bus.
///
/// Every bus has its own listeners, state and subscriptions, so tests build one each and run in parallel.
///
/// ```standalone_crate
/// use tidings::{Bus, event, listener};
/// # use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// #[event]
/// struct Paid {
///     cents: u64,
/// }
///
/// #[listener]
/// fn sum(e: &Paid, total: &AtomicU64) {
///     total.fetch_add(e.cents, Ordering::Relaxed);
/// }
///
/// let total = Arc::new(AtomicU64::new(0));
/// let bus = Bus::builder().state(Arc::clone(&total)).build()?;
/// bus.emit(Paid { cents: 250 });
/// assert_eq!(total.load(Ordering::Relaxed), 250);
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

/// A bus that does not keep itself alive.
#[derive(Clone)]
pub struct WeakBus {
    inner: Weak<Inner>,
}

// Its handles are counted on a cache line of their own: workers take them while emitters read what is in here.
#[doc(hidden)]
#[repr(align(128))]
pub struct Inner {
    pub(crate) id: u64,
    pub(crate) cells: Box<[Cell]>,
    pub(crate) generic: RwLock<HashMap<TypeId, Generic>>,
    pub(crate) state: StateMap,
    /// For methods that are attached later.
    pub(crate) tunes: Tunes,
    pub(crate) patterns: Vec<LinkedPattern>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) dynamic: Mutex<Dynamic>,
    pub(crate) work: Arc<Work>,
    /// When the first shutdown began.
    pub(crate) closing: OnceLock<Instant>,
    pub(crate) end: Mutex<End>,
    pub(crate) carried: Carried,
    pub(crate) laters: Laters,
    /// What the queues of this bus have in common.
    pub(crate) shared: Shared,
    pub(crate) threads: usize,
    /// Nobody waits for it at the end of `main`.
    pub(crate) is_default: bool,
    runtime: Option<Arc<dyn Runtime>>,
    /// Shared with the queues, some of whose deliveries may end after the bus.
    pub(crate) hook: Arc<Hook>,
    pub(crate) instrument: Option<Instrument>,
    pub(crate) warned: Once,
}

/// A linked pattern listener, kept for generic events that come later.
pub(crate) struct LinkedPattern {
    pub(crate) index: usize,
    pub(crate) run: AnyRun,
}

/// What the builder made.
pub(crate) struct Parts {
    pub(crate) cells: Vec<Cell>,
    pub(crate) generic: HashMap<TypeId, Generic>,
    pub(crate) state: StateMap,
    pub(crate) tunes: Tunes,
    pub(crate) patterns: Vec<LinkedPattern>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) runtime: Option<Arc<dyn Runtime>>,
    pub(crate) hook: Hook,
    pub(crate) instrument: Option<Instrument>,
    pub(crate) shared: Shared,
    pub(crate) threads: usize,
    pub(crate) is_default: bool,
    pub(crate) carriers: Vec<(ListenerInfo, Carrier)>,
}

/// The buses that live, for who knows only the number.
static BUSES: LazyLock<RwLock<HashMap<u64, Weak<Inner>>>> = LazyLock::new(RwLock::default);

impl Bus {
    /// Starts a bus with all linked listeners.
    pub fn builder() -> BusBuilder {
        BusBuilder::new()
    }

    /// A bus without linked listeners, for subscriptions only.
    ///
    /// # Panics
    ///
    /// If two linked events have one topic, or the platform gathers no records; `Bus::builder()` reports both as an error.
    pub fn empty() -> Bus {
        match BusBuilder::new().none().build() {
            Ok(bus) => bus,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn from_parts(parts: Parts) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let inner = Arc::new(Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            cells: parts.cells.into_boxed_slice(),
            generic: RwLock::new(parts.generic),
            state: parts.state,
            tunes: parts.tunes,
            patterns: parts.patterns,
            edges: parts.edges,
            dynamic: Mutex::default(),
            work: Work::new(),
            closing: OnceLock::new(),
            end: Mutex::default(),
            carried: Carried::default(),
            laters: Laters::default(),
            shared: parts.shared,
            threads: parts.threads,
            is_default: parts.is_default,
            runtime: parts.runtime,
            hook: Arc::new(parts.hook),
            instrument: parts.instrument,
            warned: Once::default(),
        });
        let mut buses = write(&BUSES);
        buses.insert(inner.id, Arc::downgrade(&inner));
        drop(buses);
        inner.carried.add(&inner, parts.carriers);
        Self { inner }
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// Emits an event: inline listeners run before this returns, async ones as [`Emission`] says.
    ///
    /// Nothing is locked while listeners run: a listener may emit, subscribe, unsubscribe or drop the last handle to anything.
    #[inline]
    #[track_caller]
    pub fn emit<E: Event>(&self, event: E) -> Emission {
        self.inner.emit(event)
    }

    /// A handle that does not keep the bus alive, for closures that are subscribed to it.
    pub fn downgrade(&self) -> WeakBus {
        WeakBus {
            inner: Arc::downgrade(&self.inner),
        }
    }
}

impl WeakBus {
    /// The bus, if it still lives.
    pub fn upgrade(&self) -> Option<Bus> {
        self.inner.upgrade().map(Bus::from_inner)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bus({})", self.inner.id)
    }
}

impl fmt::Debug for WeakBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakBus")
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bus({})", self.id)
    }
}

impl Inner {
    pub(crate) fn by_id(id: u64) -> Option<Arc<Inner>> {
        let bus = read(&BUSES).get(&id).map(Weak::clone);
        bus.and_then(|bus| bus.upgrade())
    }

    pub(crate) fn shared_runtime(&self) -> Option<&Arc<dyn Runtime>> {
        self.runtime.as_ref()
    }

    pub(crate) fn runtime(&self) -> Option<&dyn Runtime> {
        self.runtime.as_deref()
    }

    /// Tells who looks that a queue accepted a delivery.
    pub(crate) fn accepted(&self, attempt: impl FnOnce() -> Attempt) {
        if let Some(interceptor) = self.interceptor() {
            interceptor.accepted(&attempt());
        }
    }

    pub(crate) fn cell_of(&self, ops: &EventOps) -> Option<&Cell> {
        (ops.index)().and_then(|index| self.cells.get(index.get()))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut buses = write(&BUSES);
        buses.remove(&self.id);
        drop(buses);
        self.laters.end(
            self,
            "the last handle of the bus was dropped before its time",
        );
        self.abandon_queues();
        // What is the user's in it may panic, and whoever dropped the last handle may be anybody.
        let cells = drop_guarded(std::mem::take(&mut self.cells));
        let generic = drop_guarded(std::mem::take(&mut self.generic));
        let patterns = drop_guarded(std::mem::take(&mut self.patterns));
        let state = drop_guarded(std::mem::take(&mut self.state));
        for message in [cells, generic, patterns, state]
            .into_iter()
            .filter_map(Result::err)
        {
            self.tell_drop(None, "the bus with its state", &message);
        }
    }
}
