//! The listeners of one event on one bus.

use std::any::Any;
use std::sync::Arc;

use crate::any_event::AnyEvent;
use crate::event::{Event, Unheard};
use crate::hear::{AnyRun, AsyncFn, BoundFn, SharedAny};
use crate::listener::ListenerInfo;
use crate::overlay::{FULL, Flag, INLINE, NOBODY, Overlay, PLAIN};

/// One listener, ready to be called.
pub(crate) enum Run<E: Event> {
    /// Nothing but the event: a plain call.
    Plain(fn(&E)),
    /// With state, a condition, a context or a return value.
    Bound(BoundFn<E>),
    /// An `async fn`.
    Async(AsyncFn<E>),
}

/// A listener that was added while the program runs.
pub(crate) struct Sub<E: Event> {
    pub(crate) id: u64,
    pub(crate) info: ListenerInfo,
    pub(crate) run: Run<E>,
}

/// The linked listeners in their order, and the subscriptions after them.
pub(crate) struct Table<E: Event> {
    pub(crate) runs: Box<[Run<E>]>,
    pub(crate) infos: Box<[ListenerInfo]>,
    pub(crate) overlay: Overlay<Sub<E>>,
}

/// A table behind the flag that says how to run it.
pub(crate) struct Cell {
    pub(crate) flag: Flag,
    table: Box<dyn Any + Send + Sync>,
    erased: fn(&(dyn Any + Send + Sync)) -> Option<&dyn ErasedTable>,
}

impl Cell {
    #[inline]
    pub(crate) fn table<E: Event>(&self) -> Option<&Table<E>> {
        self.table.downcast_ref()
    }

    /// The table, of the one who came by the event's own slot or type.
    #[inline]
    pub(crate) fn table_of_slot<E: Event>(&self) -> &Table<E> {
        self.table::<E>()
            .expect("a slot's cell holds its event's table")
    }

    pub(crate) fn erased(&self) -> &dyn ErasedTable {
        (self.erased)(&*self.table).expect("the function was made for this table's type")
    }
}

/// What can be done with a table whose event type is not known.
pub(crate) trait ErasedTable {
    fn listener(&self, index: usize) -> Option<ListenerInfo>;
    fn subscription(&self, id: u64) -> Option<ListenerInfo>;
    /// Subscribes a pattern listener; refuses an async one when the event cannot be shared.
    fn add_any(&self, id: u64, info: ListenerInfo, run: AnyRun, flag: &Flag)
    -> Result<(), NotSend>;
    /// Takes subscriptions out; what is returned is dropped after the writers' lock.
    fn remove(&self, id: u64, flag: &Flag) -> Box<dyn Any>;
}

impl<E: Event> ErasedTable for Table<E> {
    fn listener(&self, index: usize) -> Option<ListenerInfo> {
        self.infos.get(index).cloned()
    }

    fn subscription(&self, id: u64) -> Option<ListenerInfo> {
        self.overlay
            .load()
            .iter()
            .find(|sub| sub.id == id)
            .map(|sub| sub.info.clone())
    }

    fn add_any(
        &self,
        id: u64,
        info: ListenerInfo,
        run: AnyRun,
        flag: &Flag,
    ) -> Result<(), NotSend> {
        let run = bind_any(run)?;
        self.overlay.push(Sub { id, info, run }, flag);
        Ok(())
    }

    fn remove(&self, id: u64, flag: &Flag) -> Box<dyn Any> {
        Box::new(self.overlay.remove(|sub| sub.id == id, flag))
    }
}

/// The payload cannot be held by several threads.
#[derive(Debug)]
pub(crate) struct NotSend;

/// Makes a pattern listener one of this event.
fn bind_any<E: Event>(run: AnyRun) -> Result<Run<E>, NotSend> {
    Ok(match run {
        AnyRun::Inline(f) => Run::Bound(Box::new(move |event, delivery| {
            f(&AnyEvent::of(event), delivery)
        })),
        AnyRun::Async(f) => {
            let own = E::__share().ok_or(NotSend)?.own;
            Run::Async(Box::new(move |event, handed| {
                f(
                    SharedAny {
                        ops: E::__ops(),
                        payload: own(event),
                    },
                    handed,
                )
            }))
        }
    })
}

/// A table in the making, entries named by their place in the total order.
pub(crate) struct TableBuilder<E: Event> {
    entries: Vec<(usize, Run<E>)>,
}

impl<E: Event> Default for TableBuilder<E> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
        }
    }
}

impl<E: Event> TableBuilder<E> {
    pub(crate) fn push(&mut self, index: usize, run: Run<E>) {
        self.entries.push((index, run));
    }
}

/// A [`TableBuilder`] whose event type is not known.
pub(crate) trait TableDraft {
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn add_any(&mut self, index: usize, run: AnyRun) -> Result<(), NotSend>;
    fn members(&self) -> Vec<usize>;
    /// `order` holds the members as they shall run.
    fn finish(self: Box<Self>, order: &[usize], info: &dyn Fn(usize) -> ListenerInfo) -> Cell;
    /// Adds the entries, in `order`, to the subscriptions of a table of the same event.
    fn subscribe(
        self: Box<Self>,
        cell: &Cell,
        order: &[usize],
        identity: &dyn Fn(usize) -> (u64, ListenerInfo),
    );
}

impl<E: Event> TableBuilder<E> {
    fn sorted(mut self, order: &[usize]) -> Vec<(usize, Run<E>)> {
        if !self.entries.is_sorted_by_key(|(index, _)| *index) || !order.is_sorted() {
            let place: std::collections::HashMap<usize, usize> = order
                .iter()
                .enumerate()
                .map(|(place, index)| (*index, place))
                .collect();
            self.entries.sort_by_key(|(index, _)| place[index]);
        }
        self.entries
    }
}

impl<E: Event> TableDraft for TableBuilder<E> {
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn add_any(&mut self, index: usize, run: AnyRun) -> Result<(), NotSend> {
        self.push(index, bind_any(run)?);
        Ok(())
    }

    fn members(&self) -> Vec<usize> {
        self.entries.iter().map(|(index, _)| *index).collect()
    }

    fn finish(self: Box<Self>, order: &[usize], info: &dyn Fn(usize) -> ListenerInfo) -> Cell {
        let entries = self.sorted(order);
        let all = |of: fn(&Run<E>) -> bool| entries.iter().all(|(_, run)| of(run));
        let linked = match E::__info().unheard() {
            Unheard::Ignore if entries.is_empty() => NOBODY,
            Unheard::Ignore if all(|run| matches!(run, Run::Plain(_))) => PLAIN,
            Unheard::Ignore if all(|run| !matches!(run, Run::Async(_))) => INLINE,
            _ => FULL,
        };
        let infos = entries.iter().map(|(index, _)| info(*index)).collect();
        let runs = entries.into_iter().map(|(_, run)| run).collect();
        let table = Table::<E> {
            runs,
            infos,
            overlay: Overlay::new(),
        };
        Cell {
            flag: Flag::new(linked),
            table: Box::new(table),
            erased: |table| Some(table.downcast_ref::<Table<E>>()?),
        }
    }

    fn subscribe(
        self: Box<Self>,
        cell: &Cell,
        order: &[usize],
        identity: &dyn Fn(usize) -> (u64, ListenerInfo),
    ) {
        let table = cell
            .table::<E>()
            .expect("a cell of this event holds its table");
        for (index, run) in self.sorted(order) {
            let (id, info) = identity(index);
            table.overlay.push(Sub { id, info, run }, &cell.flag);
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
