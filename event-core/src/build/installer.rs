//! What generated code fills a bus's tables through.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};

use crate::build::error::Problem;
use crate::build::state::StateMap;
use crate::build::tune::Tunes;
use crate::bus::carrier::{Carrier, Shared};
use crate::delivery::Flights;
use crate::delivery::lane::{Berth, Lane};
use crate::dispatch::table::{Draft, NotSend, Run};
use crate::event::{Event, EventOps};
use crate::listener::hear::{AnyRun, Heard};
use crate::listener::param::Param;
use crate::listener::policy::Policy;
use crate::listener::returns::Step;
use crate::registration::Registration;
use crate::runtime::Runtime;

/// An async delivery's future.
#[doc(hidden)]
pub type BoxFuture = Pin<Box<dyn Future<Output = Step> + Send>>;

/// Tables in the making: by slot, and by type for generic events.
#[derive(Default)]
pub(crate) struct Drafts {
    pub(crate) slots: Vec<Option<Draft>>,
    pub(crate) generic: HashMap<TypeId, (&'static EventOps, Draft)>,
    pub(crate) any: Vec<(usize, AnyRun)>,
    pub(crate) carriers: Vec<(usize, Carrier)>,
    /// What makes no sense of what they were tuned to.
    pub(crate) problems: Vec<Problem>,
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

impl Drafts {
    /// The listener that was installed last as one of any event hears what this one hears.
    pub(crate) fn bind_last(
        &mut self,
        index: usize,
        listener: &Registration,
    ) -> Result<(), (&'static EventOps, NotSend)> {
        let Heard::One { ops, .. } = (listener.heard)() else {
            return Ok(());
        };
        match self.any.pop() {
            Some((_, run)) => self
                .draft(ops())
                .add_any(index, run)
                .map_err(|not_send| (ops(), not_send)),
            None => Ok(()),
        }
    }
}

/// Installs one listener, if what it says of itself is accepted: binds its parameters to the bus's state and adds it to its event's table.
#[doc(hidden)]
pub struct Installer<'a> {
    accepts: &'a mut dyn FnMut(&Registration) -> bool,
    policy: Policy,
    id: &'static str,
    place: Option<Place<'a>>,
}

/// Where a listener is installed.
pub(crate) struct Place<'a> {
    pub(crate) state: &'a StateMap,
    pub(crate) drafts: &'a mut Drafts,
    pub(crate) index: usize,
    pub(crate) tunes: &'a Tunes,
    pub(crate) runtime: Option<&'a Arc<dyn Runtime>>,
    pub(crate) shared: &'a Shared,
    pub(crate) threads: usize,
}

impl<'a> Installer<'a> {
    pub(crate) fn new(
        accepts: &'a mut dyn FnMut(&Registration) -> bool,
        place: Option<Place<'a>>,
    ) -> Self {
        Self {
            accepts,
            policy: Policy::asynchronous(),
            id: "",
            place,
        }
    }

    pub(crate) fn accepts(&mut self, registration: &Registration) -> bool {
        let accepted = (self.accepts)(registration);
        if let Some(place) = self.place.as_mut().filter(|_| accepted) {
            let problems = &mut place.drafts.problems;
            self.policy = place.tunes.apply(registration, problems);
            self.id = registration.id;
        }
        accepted
    }

    /// Where the deliveries of the accepted async listener are kept.
    pub(crate) fn flights(&mut self) -> Arc<Flights> {
        let flights = Arc::new(Flights::new(self.policy));
        let place = self.place();
        let carrier = Carrier {
            flights: Arc::downgrade(&flights),
            berth: None,
            lane: None,
        };
        place.drafts.carriers.push((place.index, carrier));
        flights
    }

    /// Where a queue of the accepted listener meets its bus.
    pub fn berth(&mut self) -> Arc<Berth> {
        // The workers are the limit.
        let policy = self.policy.limit(usize::MAX);
        Arc::new(Berth::new(Arc::new(Flights::new(policy))))
    }

    /// Makes a queue known to the bus.
    pub fn dock(&mut self, berth: Arc<Berth>, lane: Option<Weak<dyn Lane>>) {
        let carrier = Carrier {
            flights: berth.flights(),
            berth: Some(berth),
            lane,
        };
        let place = self.place();
        place.drafts.carriers.push((place.index, carrier));
    }

    /// How the deliveries of the accepted listener are carried.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The id of the accepted listener.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// The runtime of the bus.
    pub fn runtime(&mut self) -> Option<Arc<dyn Runtime>> {
        self.place().runtime.cloned()
    }

    /// How many threads the queues of the bus may use.
    pub fn threads(&mut self) -> usize {
        self.place().threads
    }

    /// The bus's one value of this type.
    pub fn shared<T: Send + Sync + 'static>(&mut self, make: impl FnOnce() -> T) -> Arc<T> {
        self.place().shared.get(make)
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
