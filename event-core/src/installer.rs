//! What generated code fills a bus's tables through.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::event::{Event, EventOps};
use crate::hear::AnyRun;
use crate::param::Param;
use crate::registration::Registration;
use crate::returns::Step;
use crate::state::StateMap;
use crate::table::{Draft, Run};

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

/// Installs one listener, if what it says of itself is accepted: binds its parameters to the bus's state and adds it to its event's table.
#[doc(hidden)]
pub struct Installer<'a> {
    accepts: &'a mut dyn FnMut(&Registration) -> bool,
    place: Option<Place<'a>>,
}

/// Where a listener is installed.
pub(crate) struct Place<'a> {
    pub(crate) state: &'a StateMap,
    pub(crate) drafts: &'a mut Drafts,
    pub(crate) index: usize,
}

impl<'a> Installer<'a> {
    pub(crate) fn new(
        accepts: &'a mut dyn FnMut(&Registration) -> bool,
        place: Option<Place<'a>>,
    ) -> Self {
        Self { accepts, place }
    }

    pub(crate) fn accepts(&mut self, registration: &Registration) -> bool {
        (self.accepts)(registration)
    }

    fn place(&mut self) -> &mut Place<'a> {
        (self.place.as_mut()).expect("only an accepted listener is installed")
    }

    /// What a parameter is bound to.
    ///
    /// # Panics
    ///
    /// If the state was not given; the builder has checked that it was.
    pub(crate) fn param<P: Param>(&mut self) -> P::Bound {
        P::bind(self.place().state)
            .expect("the builder installs a listener only after it found all its state")
    }

    // Apart, so that a listener's own code is a call.
    #[inline(never)]
    pub(crate) fn add<E: Event>(&mut self, run: Run<E>) {
        let place = self.place();
        place.drafts.draft(E::__ops()).push(place.index, run);
    }

    pub(crate) fn add_any(&mut self, run: AnyRun) {
        let place = self.place();
        place.drafts.any.push((place.index, run));
    }
}

impl fmt::Debug for Installer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Installer")
    }
}
