//! The tables of events without a slot: instantiations of generic types, by their type.

use std::any::TypeId;
use std::sync::Arc;

use crate::build::order;
use crate::bus::Inner;
use crate::bus::subscription::Dynamic;
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::{Failure, FailureKind};
use crate::dispatch::table::{Cell, Draft, NotSend};
use crate::event::{Event, EventOps};
use crate::listener::{ListenerInfo, Mode};
use crate::registry::Registry;
use crate::sync::{lock, read, write};

/// One instantiation's table.
#[derive(Clone)]
pub(crate) struct Generic {
    pub(crate) ops: &'static EventOps,
    pub(crate) cell: Arc<Cell>,
    /// A listener that hears it by a pattern but cannot be given it: every emission tells.
    refused: Option<ListenerInfo>,
}

impl Generic {
    pub(crate) fn new(ops: &'static EventOps, cell: Cell) -> Self {
        Self {
            ops,
            cell: Arc::new(cell),
            refused: None,
        }
    }
}

impl Inner {
    pub(crate) fn generics(&self) -> Vec<Generic> {
        read(&self.generic).values().cloned().collect()
    }

    /// Runs `f` on an event's table, if there is one.
    pub(crate) fn with_cell<R>(&self, ops: &EventOps, f: impl FnOnce(&Cell) -> R) -> Option<R> {
        if let Some(cell) = self.cell_of(ops) {
            return Some(f(cell));
        }
        let generic = read(&self.generic).get(&(ops.type_id)()).cloned();
        generic.map(|generic| f(&generic.cell))
    }

    /// The table of an event without a slot, made at its first emission.
    pub(crate) fn generic_of<E: Event>(&self) -> Generic {
        if let Some(generic) = read(&self.generic).get(&TypeId::of::<E>()) {
            return generic.clone();
        }
        self.make_generic(&lock(&self.dynamic), E::__ops())
    }

    /// The table, made under the writers' lock if nobody has made it.
    pub(crate) fn make_generic(&self, dynamic: &Dynamic, ops: &'static EventOps) -> Generic {
        if let Some(generic) = read(&self.generic).get(&(ops.type_id)()) {
            return generic.clone();
        }
        let registry = Registry::get();
        let mut draft = Draft::new(ops);
        let mut refused = None;
        let instrument = self.instrument.as_ref();
        let stubbed = instrument.is_some_and(|instrument| instrument.stubs((ops.type_id)()));
        for pattern in &self.patterns {
            if stubbed || !registry.registration(pattern.index).selects((ops.info)()) {
                continue;
            }
            if let Err(NotSend) = draft.add_any(pattern.index, pattern.run.clone()) {
                refused = Some(registry.info(pattern.index));
            }
        }
        let mut order = order::arrange(&draft.members(), &self.edges)
            .expect("the builder found no circle among the pattern listeners");
        if let Some(instrument) = instrument {
            order = instrument.reordered(order, &self.edges, &|index| registry.registration(index));
        }
        let watched = self.instrument.is_some();
        let cell = draft.finish(&order, &|index| registry.info(index), watched);
        let refused = refused.or(dynamic.add_patterns(ops, &cell));
        let generic = Generic {
            refused,
            ..Generic::new(ops, cell)
        };
        write(&self.generic).insert((ops.type_id)(), generic.clone());
        generic
    }

    /// Adds the failure of the listener that cannot be given the event.
    pub(crate) fn tell_refused<E: Event>(&self, generic: &Generic, emission: &mut Emission) {
        if let Some(listener) = &generic.refused {
            let type_name = std::any::type_name::<E>();
            let message = format!(
                "{} listener hears `{}` by a pattern, but `{type_name}` is not `Send + Sync`",
                match listener.mode() {
                    Mode::Queue => "a queued",
                    Mode::Debounce | Mode::Throttle => "a timed",
                    _ => "an async",
                },
                E::TOPIC
            );
            let failure = Failure::new(Some(listener.clone()), FailureKind::NotSend, message);
            emission.fail(self.report(failure));
        }
    }
}
