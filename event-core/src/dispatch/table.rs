//! The listeners of one event on one bus.
//!
//! Only what the loops touch knows the event's type. The rest is code for boxes, compiled once and not for every event of a program.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use crate::bus::overlay::{FULL, Flag, INLINE, NOBODY, Overlay, PLAIN};
use crate::delivery::Flights;
use crate::delivery::future_slot::FutureSlot;
use crate::dispatch::any_event::AnyEvent;
use crate::dispatch::context::{Delivery, Handed};
use crate::dispatch::emission::MOST;
use crate::event::{Event, EventOps, Unheard};
use crate::listener::ListenerInfo;
use crate::listener::hear::{AnyRun, AsyncFn, QueueFn, SharedAny};
use crate::listener::returns::Step;

/// A sync listener of `E`, as [`BoundFn`](crate::listener::hear::BoundFn) is for a type that is known to be an event.
pub(crate) type SyncFn<E> = Box<dyn Fn(&E, &Delivery<'_>) -> Step + Send + Sync>;

/// One listener, ready to be called.
pub(crate) enum Run<E: Event> {
    /// With state, a condition, a context or a return value.
    Bound(SyncFn<E>),
    /// Nothing but the event: a plain call.
    Plain(fn(&E)),
    /// An `async fn`.
    Async(AsyncFn<E>, Arc<Flights>),
    /// Behind a queue.
    Queue(QueueFn<E>),
}

impl<E: Event> Run<E> {
    pub(crate) fn borrow(&self) -> Call<'_, E> {
        match self {
            Run::Bound(f) => Call::Bound(f),
            Run::Plain(f) => Call::Plain(*f),
            Run::Async(f, flights) => Call::Async(f, flights),
            Run::Queue(f) => Call::Queue(f),
        }
    }
}

/// A [`Run`] that stays where it is.
pub(crate) enum Call<'a, E: Event> {
    Bound(&'a SyncFn<E>),
    Plain(fn(&E)),
    Async(&'a AsyncFn<E>, &'a Arc<Flights>),
    Queue(&'a QueueFn<E>),
}

/// A [`Run`], or all of a table, whose event type is not known.
pub(crate) type Erased = Box<dyn Any + Send + Sync>;

/// The linked listeners in their order.
pub(crate) enum Runs<E: Event> {
    /// All of one kind, so that the loop does not have to ask.
    Bound(Vec<SyncFn<E>>),
    Mixed(Vec<Run<E>>),
}

impl<E: Event> Runs<E> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Runs::Bound(list) => list.len(),
            Runs::Mixed(list) => list.len(),
        }
    }

    pub(crate) fn at(&self, at: usize) -> Call<'_, E> {
        match self {
            Runs::Bound(list) => Call::Bound(&list[at]),
            Runs::Mixed(list) => list[at].borrow(),
        }
    }
}

/// A listener that was added while the program runs.
pub(crate) struct Sub {
    pub(crate) id: u64,
    pub(crate) info: ListenerInfo,
    pub(crate) run: Erased,
}

impl Sub {
    pub(crate) fn run<E: Event>(&self) -> Call<'_, E> {
        let run: &Run<E> = self
            .run
            .downcast_ref()
            .expect("a subscription is kept with its event");
        run.borrow()
    }
}

/// An event's listeners behind the flag that says how to run them.
pub(crate) struct Cell {
    pub(crate) flag: Flag,
    runs: Erased,
    pub(crate) infos: Box<[ListenerInfo]>,
    pub(crate) overlay: Overlay<Sub>,
}

impl Cell {
    /// The listeners, for the one who came by the event's own slot or type.
    #[inline]
    pub(crate) fn runs<E: Event>(&self) -> &Runs<E> {
        self.runs
            .downcast_ref()
            .expect("a slot's cell holds its event's listeners")
    }

    pub(crate) fn subscribe(&self, sub: Sub) {
        self.overlay.push(sub, &self.flag);
    }

    /// Takes a subscription out; what is returned is dropped after the writers' lock.
    pub(crate) fn unsubscribe(&self, id: u64) -> Arc<Vec<Arc<Sub>>> {
        self.overlay.remove(|sub| sub.id == id, &self.flag)
    }

    pub(crate) fn subscription(&self, id: u64) -> Option<ListenerInfo> {
        let subs = self.overlay.load();
        subs.iter()
            .find(|sub| sub.id == id)
            .map(|sub| sub.info.clone())
    }
}

/// The payload cannot be held by several threads.
#[derive(Debug)]
pub(crate) struct NotSend;

/// Makes a pattern listener one of this event.
pub(crate) fn bind_any<E: Event>(run: AnyRun) -> Result<Erased, NotSend> {
    Ok(Box::new(bind::<E>(run)?))
}

fn bind<E: Event>(run: AnyRun) -> Result<Run<E>, NotSend> {
    Ok(match run {
        AnyRun::Inline(f) => Run::Bound(Box::new(move |event, delivery| {
            f(&AnyEvent::of(event), delivery)
        })),
        AnyRun::Async(f, flights) => {
            let own = E::__share().ok_or(NotSend)?.own;
            let start = move |event, handed: &Handed, slot: &mut FutureSlot| {
                f(
                    SharedAny {
                        ops: E::__ops(),
                        payload: own(event),
                    },
                    handed,
                    slot,
                )
            };
            Run::Async(Box::new(start), flights)
        }
        AnyRun::Queue(f) => {
            let own = E::__share().ok_or(NotSend)?.own;
            let offer = move |event, origin| {
                f(
                    SharedAny {
                        ops: E::__ops(),
                        payload: own(event),
                    },
                    origin,
                )
            };
            Run::Queue(Box::new(offer))
        }
    })
}

/// The listeners of one event before they are in order: a `Vec<Run<E>>`, so that a listener needs no box of its own.
pub(crate) trait Drafted {
    fn list(&mut self) -> &mut dyn Any;
    fn add_any(&mut self, run: AnyRun) -> Result<(), NotSend>;
    fn swap(&mut self, a: usize, b: usize);
    /// All of a table, with the mode in which it runs.
    fn table(self: Box<Self>) -> (Erased, u8);
    fn pop(&mut self) -> Option<Erased>;
}

pub(crate) fn drafted<E: Event>() -> Box<dyn Drafted> {
    Box::new(Vec::<Run<E>>::new())
}

impl<E: Event> Drafted for Vec<Run<E>> {
    fn list(&mut self) -> &mut dyn Any {
        self
    }

    fn add_any(&mut self, run: AnyRun) -> Result<(), NotSend> {
        self.push(bind(run)?);
        Ok(())
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.as_mut_slice().swap(a, b);
    }

    fn table(mut self: Box<Self>) -> (Erased, u8) {
        let mut mode = NOBODY;
        let mut all_bound = true;
        for run in &*self {
            all_bound &= matches!(run, Run::Bound(_));
            mode = mode.max(match run {
                Run::Plain(_) => PLAIN,
                Run::Bound(_) => INLINE,
                Run::Async(..) | Run::Queue(_) => FULL,
            });
        }
        if !all_bound {
            self.shrink_to_fit();
            return (Box::new(Runs::Mixed(*self)), mode);
        }
        // A loop of pushes: collecting in place costs every event of a program several functions more.
        let mut bound = Vec::with_capacity(self.len());
        for run in *self {
            if let Run::Bound(f) = run {
                bound.push(f);
            }
        }
        (Box::new(Runs::Bound(bound)), mode)
    }

    fn pop(&mut self) -> Option<Erased> {
        Some(Box::new(Vec::pop(self)?))
    }
}

/// Looks whether the plain listeners of a table can be run from the event's slot, with `leave` also by leaving them there.
pub(crate) fn keep<E: Event>(cell: &Cell, leave: bool) {
    let (Some(slot), Runs::Mixed(runs)) = (E::__slot(), cell.runs::<E>()) else {
        return;
    };
    let mut functions = Vec::with_capacity(runs.len());
    for run in runs {
        if let Run::Plain(f) = run {
            functions.push(*f);
        }
    }
    if !slot.keep(functions, leave) {
        cell.flag.look_at_each();
    }
}

/// A table in the making, entries named by their place in the total order.
pub(crate) struct Draft {
    ops: &'static EventOps,
    indices: Vec<usize>,
    runs: Box<dyn Drafted>,
}

impl Draft {
    pub(crate) fn new(ops: &'static EventOps) -> Self {
        Self {
            ops,
            indices: Vec::new(),
            runs: (ops.drafted)(),
        }
    }

    pub(crate) fn push<E: Event>(&mut self, index: usize, run: Run<E>) {
        let runs: &mut Vec<Run<E>> = (self.runs.list())
            .downcast_mut()
            .expect("an event's draft holds its own listeners");
        runs.push(run);
        self.indices.push(index);
    }

    pub(crate) fn add_any(&mut self, index: usize, run: AnyRun) -> Result<(), NotSend> {
        self.runs.add_any(run)?;
        self.indices.push(index);
        Ok(())
    }

    pub(crate) fn event(&self) -> TypeId {
        (self.ops.type_id)()
    }

    /// As if nobody heard the event.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.ops);
    }

    pub(crate) fn members(&self) -> Vec<usize> {
        self.indices.clone()
    }

    /// `order` holds the members as they shall run.
    fn sort(&mut self, order: &[usize]) {
        if self.indices == order {
            return;
        }
        let place: HashMap<usize, usize> = order
            .iter()
            .enumerate()
            .map(|(place, index)| (*index, place))
            .collect();
        for at in 0..self.indices.len() {
            // Each swap puts one entry where it stays.
            while place[&self.indices[at]] != at {
                let to = place[&self.indices[at]];
                self.indices.swap(at, to);
                self.runs.swap(at, to);
            }
        }
    }

    /// With `watched` every step of every emission is looked at.
    pub(crate) fn finish(
        mut self,
        order: &[usize],
        info: &dyn Fn(usize) -> ListenerInfo,
        watched: bool,
    ) -> Cell {
        self.sort(order);
        let (runs, mode) = self.runs.table();
        let ignored = (self.ops.info)().unheard() == Unheard::Ignore;
        let countable = order.len() <= MOST;
        let mode = if ignored && !watched && countable {
            mode
        } else {
            FULL
        };
        Cell {
            flag: Flag::new(mode),
            runs,
            infos: order.iter().copied().map(info).collect(),
            overlay: Overlay::new(),
        }
    }

    /// Adds the entries, in `order`, to the subscriptions of a table of the same event.
    pub(crate) fn subscribe(
        mut self,
        cell: &Cell,
        order: &[usize],
        identity: &dyn Fn(usize) -> (u64, ListenerInfo),
    ) {
        self.sort(order);
        let mut runs: Vec<Erased> = std::iter::from_fn(|| self.runs.pop()).collect();
        runs.reverse();
        for (index, run) in order.iter().zip(runs) {
            let (id, info) = identity(*index);
            cell.subscribe(Sub { id, info, run });
        }
    }
}

/// The payload of a running emission: shared only when somebody keeps it.
pub(crate) enum Payload<E> {
    Own(E),
    Shared(Arc<E>),
    /// Only while it becomes shared.
    Moving,
}

impl<E> Payload<E> {
    pub(crate) fn get(&self) -> &E {
        match self {
            Payload::Own(event) => event,
            Payload::Shared(event) => event,
            Payload::Moving => unreachable!("a payload moves within `share` only"),
        }
    }

    /// One more holder of the payload.
    pub(crate) fn share(&mut self) -> Arc<E> {
        let shared = match std::mem::replace(self, Payload::Moving) {
            Payload::Own(event) => Arc::new(event),
            Payload::Shared(event) => event,
            Payload::Moving => unreachable!("a payload moves within `share` only"),
        };
        *self = Payload::Shared(Arc::clone(&shared));
        shared
    }
}
