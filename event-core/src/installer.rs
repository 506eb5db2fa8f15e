//! What generated code fills a bus's tables through.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::event::{Event, EventOps};
use crate::hear::AnyRun;
use crate::param::Param;
use crate::returns::Step;
use crate::state::StateMap;
use crate::table::{Draft, Erased, Run};

/// An async delivery's future.
#[doc(hidden)]
pub type BoxFuture = Pin<Box<dyn Future<Output = Step> + Send>>;

/// Tables in the making: by slot, and by type for generic events.
#[derive(Default)]
pub(crate) struct Drafts {
    pub(crate) slots: Vec<Option<Draft>>,
    pub(crate) generic: HashMap<TypeId, (&'static EventOps, Draft)>,
    pub(crate) any: Vec<(usize, AnyRun)>,
}

impl Drafts {
    pub(crate) fn draft(&mut self, ops: &'static EventOps) -> &mut Draft {
        match (ops.index)() {
            // An event that the linker did not bring has no place among the slots.
            Some(index) if index.is_assigned() => {
                let index = index.get();
                if self.slots.len() <= index {
                    self.slots.resize_with(index + 1, || None);
                }
                self.slots[index].get_or_insert_with(|| Draft::new(ops))
            }
            _ => {
                &mut self
                    .generic
                    .entry((ops.type_id)())
                    .or_insert_with(|| (ops, Draft::new(ops)))
                    .1
            }
        }
    }
}

/// Installs one listener: binds its parameters to the bus's state and adds it to its event's table.
#[doc(hidden)]
pub struct Installer<'a> {
    state: &'a StateMap,
    drafts: &'a mut Drafts,
    index: usize,
}

impl<'a> Installer<'a> {
    pub(crate) fn new(state: &'a StateMap, drafts: &'a mut Drafts, index: usize) -> Self {
        Self {
            state,
            drafts,
            index,
        }
    }

    /// What a parameter is bound to.
    ///
    /// # Panics
    ///
    /// If the state was not given; the builder has checked that it was.
    pub(crate) fn param<P: Param>(&self) -> P::Bound {
        P::bind(self.state)
            .expect("the builder installs a listener only after it found all its state")
    }

    // Apart, so that a listener's own code is a call.
    #[inline(never)]
    pub(crate) fn add<E: Event>(&mut self, run: Run<E>) {
        self.push(E::__ops(), Box::new(run));
    }

    fn push(&mut self, ops: &'static EventOps, run: Erased) {
        self.drafts.draft(ops).push(self.index, run);
    }

    pub(crate) fn add_any(&mut self, run: AnyRun) {
        self.drafts.any.push((self.index, run));
    }
}

impl fmt::Debug for Installer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Installer({})", self.index)
    }
}
