//! Listeners that come and go while the program runs.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, Weak};

use crate::bus::{Bus, Inner};
use crate::check::check_carried;
use crate::dispatch::any_event::AnyEvent;
use crate::dispatch::stack::SUBSCRIPTION;
use crate::dispatch::table::{Cell, NotSend, Run, Sub};
use crate::event::{Event, EventOps};
use crate::listener::ListenerInfo;
use crate::listener::hear::AnyRun;
use crate::listener::returns::Step;
use crate::sync::lock;
use crate::topic::{Pattern, PatternError};
use crate::waits::Waits;

/// A listener that was added to a bus: it is taken out again when this is dropped.
///
/// ```standalone_crate
/// # use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// use tidings::{Bus, event};
///
/// #[event]
/// struct Tick;
///
/// let ticks = Arc::new(AtomicU32::new(0));
/// let bus = Bus::empty();
/// let counter = Arc::clone(&ticks);
/// let subscription = bus.on(move |_: &Tick| {
///     counter.fetch_add(1, Ordering::Relaxed);
/// });
///
/// bus.emit(Tick);
/// drop(subscription);
/// bus.emit(Tick);
///
/// assert_eq!(ticks.load(Ordering::Relaxed), 1);
/// ```
#[must_use = "the listener is taken out when the subscription is dropped; keep it, or call `.forever()`"]
pub struct Subscription {
    bus: Weak<Inner>,
    /// Each number with the event it is of; `None` for a pattern, which may be at many.
    ids: Vec<(u64, Option<&'static EventOps>)>,
}

impl Subscription {
    pub(crate) fn new(bus: &Arc<Inner>, ids: Vec<(u64, Option<&'static EventOps>)>) -> Self {
        Self {
            bus: Arc::downgrade(bus),
            ids,
        }
    }

    /// Keeps the listener for as long as the bus lives.
    pub fn forever(mut self) {
        self.ids.clear();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            for (id, ops) in self.ids.drain(..) {
                bus.unsubscribe(id, ops);
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({} listeners)", self.ids.len())
    }
}

/// What only writers touch.
#[derive(Default)]
pub(crate) struct Dynamic {
    next: u64,
    patterns: Vec<PatternSub>,
    /// Who is told when no event will come any more.
    pub(crate) waits: Waits,
}

/// A subscription by topic, kept for events of generic types that come later.
#[derive(Clone)]
pub(crate) struct PatternSub {
    id: u64,
    info: ListenerInfo,
    hears: Arc<dyn Fn(&'static EventOps) -> bool + Send + Sync>,
    run: AnyRun,
}

impl Dynamic {
    pub(crate) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Keeps a pattern subscription for the tables that come.
    pub(crate) fn keep(&mut self, sub: PatternSub) {
        self.patterns.push(sub);
    }

    /// Adds the pattern subscriptions that hear an event to its new table; the first that cannot hear it, if there is one.
    pub(crate) fn add_patterns(&self, ops: &'static EventOps, cell: &Cell) -> Option<ListenerInfo> {
        let hearing = self.patterns.iter().filter(|sub| (sub.hears)(ops));
        let refused: Vec<_> = hearing
            .filter(|sub| sub.add_to(ops, cell).is_err())
            .collect();
        refused.first().map(|sub| sub.info.clone())
    }
}

impl PatternSub {
    pub(crate) fn new(
        id: u64,
        info: ListenerInfo,
        hears: Arc<dyn Fn(&'static EventOps) -> bool + Send + Sync>,
        run: AnyRun,
    ) -> Self {
        Self {
            id,
            info,
            hears,
            run,
        }
    }

    fn add_to(&self, ops: &'static EventOps, cell: &Cell) -> Result<(), NotSend> {
        let run = (ops.bind_any)(self.run.clone())?;
        cell.subscribe(Sub {
            id: self.id,
            info: self.info.clone(),
            run,
        });
        Ok(())
    }
}

impl Bus {
    /// Adds a listener while the program runs. It comes after the linked ones, and hears events emitted after this call.
    ///
    /// A closure that needs the bus takes the free [`emit`](crate::emit()) or a [`WeakBus`](crate::WeakBus): a `Bus` kept in its own
    /// subscription is a cycle, and neither is ever freed.
    #[track_caller]
    pub fn on<E: Event>(&self, f: impl Fn(&E) + Send + Sync + 'static) -> Subscription {
        const { check_carried::<E>() };
        let info = ListenerInfo::dynamic(E::TOPIC, Location::caller());
        let run = Run::<E>::Bound(Box::new(move |event: &E, _| {
            f(event);
            Step::Done
        }));
        let id = self.inner().subscribe(info, |_| run);
        Subscription::new(self.inner(), vec![(id, Some(E::__ops()))])
    }

    /// Adds a listener for one event. Of two threads that emit at once, one is heard; for the other the listener is not there any more.
    #[track_caller]
    pub fn once<E: Event>(&self, f: impl FnOnce(&E) + Send + 'static) -> Subscription {
        const { check_carried::<E>() };
        let info = ListenerInfo::dynamic(E::TOPIC, Location::caller());
        let bus = Arc::downgrade(self.inner());
        let slot = Mutex::new(Some(f));
        let id = self.inner().subscribe(info, |id| {
            Run::<E>::Bound(Box::new(move |event: &E, _| {
                let Some(f) = lock(&slot).take() else {
                    return Step::Absent;
                };
                if let Some(bus) = bus.upgrade() {
                    bus.unsubscribe(id, Some(E::__ops()));
                }
                f(event);
                Step::Done
            }))
        });
        Subscription::new(self.inner(), vec![(id, Some(E::__ops()))])
    }

    /// Adds a listener for every event whose topic the pattern matches.
    ///
    /// # Errors
    ///
    /// [`PatternError`] if the text is no pattern.
    #[track_caller]
    pub fn on_topic(
        &self,
        pattern: &str,
        f: impl Fn(&AnyEvent<'_>) + Send + Sync + 'static,
    ) -> Result<Subscription, PatternError> {
        let pattern = Pattern::parse(pattern)?;
        let info = ListenerInfo::dynamic(pattern.as_str(), Location::caller());
        let run = AnyRun::Inline(Arc::new(move |event, _| {
            f(event);
            Step::Done
        }));
        let hears = Arc::new(move |ops: &'static EventOps| pattern.matches((ops.info)().topic()));
        let mut dynamic = lock(&self.inner().dynamic);
        let id = dynamic.id();
        self.inner()
            .subscribe_pattern(&mut dynamic, PatternSub::new(id, info, hears, run));
        drop(dynamic);
        Ok(Subscription::new(self.inner(), vec![(id, None)]))
    }
}

impl Inner {
    pub(crate) fn subscribe<E: Event>(
        self: &Arc<Self>,
        info: ListenerInfo,
        run: impl FnOnce(u64) -> Run<E>,
    ) -> u64 {
        let mut dynamic = lock(&self.dynamic);
        let id = dynamic.id();
        self.add(&dynamic, id, info, run(id));
        id
    }

    /// The caller holds the writers' lock.
    pub(crate) fn add<E: Event>(
        &self,
        dynamic: &Dynamic,
        id: u64,
        info: ListenerInfo,
        run: Run<E>,
    ) {
        let run = Box::new(run);
        let sub = Sub { id, info, run };
        if let Some(cell) = self.cell_of(E::__ops()) {
            cell.subscribe(sub);
        } else {
            self.make_generic(dynamic, E::__ops()).cell.subscribe(sub);
        }
    }

    /// Adds a pattern listener to every table there is, and to those that come.
    fn subscribe_pattern(&self, dynamic: &mut Dynamic, sub: PatternSub) {
        let slots = crate::registry::Registry::get()
            .slots
            .iter()
            .zip(&self.cells)
            .map(|(ops, cell)| (*ops, cell));
        let generics = self.generics();
        let generics = generics.iter().map(|generic| (generic.ops, &*generic.cell));
        for (ops, cell) in slots.chain(generics) {
            if (sub.hears)(ops) {
                let added = sub.add_to(ops, cell);
                debug_assert!(added.is_ok(), "a subscription by topic is inline");
            }
        }
        dynamic.keep(sub);
    }

    pub(crate) fn unsubscribe(&self, id: u64, ops: Option<&'static EventOps>) {
        let mut removed = Vec::new();
        let mut dynamic = lock(&self.dynamic);
        dynamic.waits.remove(id);
        let mut from = |cell: &Cell| removed.push(cell.unsubscribe(id));
        let mut gone = Vec::new();
        if let Some(ops) = ops {
            self.with_cell(ops, from);
        } else {
            self.cells.iter().for_each(&mut from);
            self.generics()
                .iter()
                .for_each(|generic| from(&generic.cell));
            let patterns = std::mem::take(&mut dynamic.patterns).into_iter();
            (gone, dynamic.patterns) = patterns.partition(|sub| sub.id == id);
        }
        drop(dynamic);
        // The user's closures are dropped here, where no lock is held.
        drop((removed, gone));
    }

    pub(crate) fn listener_at(&self, ops: &'static EventOps, at: u64) -> Option<ListenerInfo> {
        let find = |cell: &Cell| match at & SUBSCRIPTION {
            0 => cell.infos.get(usize::try_from(at).ok()?).cloned(),
            _ => cell.subscription(at & !SUBSCRIPTION),
        };
        self.with_cell(ops, find).flatten()
    }
}
