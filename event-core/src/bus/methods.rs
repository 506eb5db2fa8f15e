//! Methods of an instance as listeners.

use std::fmt;
use std::sync::Arc;

use crate::build::error::{BuildError, Code, Problem};
use crate::build::installer::{Drafts, Installer, Place};
use crate::build::instrument::Instrument;
use crate::build::order::{self, Found};
use crate::build::{check_needs, not_send};
use crate::bus::Bus;
use crate::bus::subscription::{PatternSub, Subscription};
use crate::dispatch::table::NotSend;
use crate::event::EventOps;
use crate::listener::hear::AnyRun;
use crate::listener::{ListenerInfo, Target};
use crate::registration::Registration;
use crate::registry::Registry;
use crate::sync::lock;

/// A type whose methods are listeners. Implemented by `#[listeners]` on an `impl` block, never by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no listener methods",
    note = "put `#[listeners]` on an `impl {Self}` block, and `#[listener]` on its methods with `&self`"
)]
pub trait Listeners: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    fn __listeners() -> &'static [Method<Self>];
}

/// One listener method.
#[doc(hidden)]
pub struct Method<T> {
    registration: Registration,
    install: fn(&mut Installer<'_>, &Arc<T>),
}

impl<T> Method<T> {
    pub const fn new(registration: Registration, install: fn(&mut Installer<'_>, &Arc<T>)) -> Self {
        Self {
            registration,
            install,
        }
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }
}

impl<T> fmt::Debug for Method<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.registration, f)
    }
}

impl Bus {
    /// Adds the listener methods of an instance, until the subscription is dropped. They come after the linked listeners.
    ///
    /// ```standalone_crate
    /// use std::sync::{Arc, Mutex};
    /// use tidings::{Bus, event, listeners};
    ///
    /// #[event]
    /// struct Placed {
    ///     order: u64,
    /// }
    ///
    /// #[derive(Default)]
    /// struct Mailer {
    ///     sent: Mutex<Vec<u64>>,
    /// }
    ///
    /// #[listeners]
    /// impl Mailer {
    ///     #[listener]
    ///     fn confirm(&self, e: &Placed) {
    ///         self.sent.lock().unwrap().push(e.order);
    ///     }
    /// }
    ///
    /// let mailer = Arc::new(Mailer::default());
    /// let bus = Bus::empty();
    /// let _attached = bus.attach(Arc::clone(&mailer))?;
    /// bus.emit(Placed { order: 7 });
    /// assert_eq!(*mailer.sent.lock().unwrap(), [7]);
    /// # Ok::<(), tidings::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the methods need state that the bus was not given, or their order cannot be kept.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the instance is shared from here on"
    )]
    pub fn attach<T: Listeners>(&self, instance: Arc<T>) -> Result<Subscription, BuildError> {
        let methods = T::__listeners();
        let mut problems = Vec::new();
        let instrument = self.inner().instrument.as_ref();
        let order = method_order(methods, instrument, &mut problems);
        let mut drafts = Drafts::default();
        for (place, &index) in order.iter().enumerate() {
            let method = &methods[index];
            if check_needs(
                &method.registration,
                &self.inner().state,
                "this bus",
                &mut problems,
            ) {
                let place = Place {
                    state: &self.inner().state,
                    drafts: &mut drafts,
                    index: place,
                    tunes: &self.inner().tunes,
                    runtime: self.inner().shared_runtime(),
                    shared: &self.inner().shared,
                    threads: self.inner().threads,
                };
                let mut accepts = |_: &Registration| true;
                let mut installer = Installer::new(&mut accepts, Some(place));
                // A method does not describe itself when it is installed, so how its deliveries are carried is said here.
                installer.accepts(&method.registration);
                (method.install)(&mut installer, &instance);
            }
        }
        problems.append(&mut drafts.problems);
        BuildError::check(problems)?;
        self.add_methods(drafts, order.len(), &|place| {
            ListenerInfo::method(&methods[order[place]].registration)
        })
    }

    fn add_methods(
        &self,
        mut drafts: Drafts,
        count: usize,
        info: &dyn Fn(usize) -> ListenerInfo,
    ) -> Result<Subscription, BuildError> {
        let inner = self.inner();
        let carriers = std::mem::take(&mut drafts.carriers).into_iter();
        let carriers = carriers.map(|(place, carrier)| (info(place), carrier));
        inner.carried.add(inner, carriers.collect());
        let mut dynamic = lock(&inner.dynamic);
        let patterns = std::mem::take(&mut drafts.any);
        let methods: Vec<_> = (0..count).map(info).collect();
        let placed = (inner.check_answerers(&methods))
            .and_then(|()| self.place_patterns(&patterns, &mut drafts, info));
        if let Err(error) = placed {
            // What the drafts hold is the user's to drop, outside of the lock.
            drop(dynamic);
            return Err(error);
        }
        let numbers: Vec<u64> = (0..count).map(|_| dynamic.id()).collect();
        let identity = |place: usize| (numbers[place], info(place));
        let typed = |place: &usize| patterns.iter().all(|(pattern, _)| pattern != place);
        let mut ids = Vec::new();
        let slots = Registry::get()
            .slots
            .iter()
            .copied()
            .zip(drafts.slots)
            .filter_map(|(ops, draft)| Some((ops, draft?)));
        for (ops, draft) in slots.chain(drafts.generic.into_values()) {
            let mut order = draft.members();
            order.sort_unstable();
            ids.extend(
                order
                    .iter()
                    .filter(|place| typed(place))
                    .map(|place| (numbers[*place], Some(ops))),
            );
            match inner.cell_of(ops) {
                Some(cell) => draft.subscribe(cell, &order, &identity),
                None => draft.subscribe(&inner.make_generic(&dynamic, ops).cell, &order, &identity),
            }
        }
        ids.extend(patterns.iter().map(|(place, _)| (numbers[*place], None)));
        for (place, run) in patterns {
            let info = info(place);
            let listener = info.registration();
            let hears = Arc::new(move |ops: &'static EventOps| {
                listener.is_some_and(|l| l.selects((ops.info)()))
            });
            dynamic.keep(PatternSub::new(numbers[place], info, hears, run));
        }
        drop(dynamic);
        Ok(Subscription::new(inner, ids))
    }

    /// Puts pattern methods among the typed ones of every event that is known by now, so that both share one order.
    fn place_patterns(
        &self,
        patterns: &[(usize, AnyRun)],
        drafts: &mut Drafts,
        info: &dyn Fn(usize) -> ListenerInfo,
    ) -> Result<(), BuildError> {
        let mut events = Registry::get().slots.clone();
        events.extend(drafts.generic.values().map(|(ops, _)| *ops));
        let emitted = self.inner().generics();
        let emitted = emitted.iter().map(|generic| generic.ops);
        events.extend(emitted.filter(|ops| !drafts.generic.contains_key(&(ops.type_id)())));
        let mut problems = Vec::new();
        for (place, run) in patterns {
            let listener = info(*place);
            let selects = |ops: &&&'static EventOps| {
                let registration = listener.registration();
                registration.is_some_and(|r| r.selects((ops.info)()))
            };
            for ops in events.iter().filter(selects) {
                if let Err(NotSend) = drafts.draft(ops).add_any(*place, run.clone()) {
                    problems.push(not_send(&listener, ops));
                }
            }
        }
        BuildError::check(problems)
    }
}

/// The methods as they shall run, and what is wrong with their relations.
fn method_order<T>(
    methods: &'static [Method<T>],
    instrument: Option<&Instrument>,
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..methods.len()).collect();
    let key = |r: &Registration| {
        (
            r.phase,
            r.location.line(),
            r.location.column(),
            r.function(),
            r.id,
        )
    };
    sorted.sort_by(|a, b| key(&methods[*a].registration).cmp(&key(&methods[*b].registration)));
    let registration = |place: usize| methods[sorted[place]].registration;
    let find = |target: Target| {
        let same = |r: &Registration| match target {
            Target::Function(key) => (r.key)() == key.id(),
            Target::Id(id) => r.id == id,
        };
        if let Some(place) = (0..sorted.len()).find(|place| same(&registration(*place))) {
            return Found::Member(place);
        }
        // Linked listeners always come first; `before` one of them is refused below.
        if Registry::get().registrations().any(|r| same(&r)) {
            Found::LeftOut
        } else {
            Found::Nothing
        }
    };
    for method in methods {
        let before_linked =
            method.registration.relations.iter().filter(|relation| {
                relation.before && matches!(find(relation.target), Found::LeftOut)
            });
        problems.extend(before_linked.map(|_| {
            Problem::new(
                Code::OrderUnrelated,
                format!("method listener `{}` shall run before a linked listener, but attached methods come after all linked ones", method.registration.id),
                Some(method.registration.location),
                "take out the relation, or make it a function",
            )
        }));
    }
    let ids = || {
        methods
            .iter()
            .map(|m| m.registration.id)
            .chain(Registry::get().registrations().map(|l| l.id))
            .collect()
    };
    let members = (0..sorted.len()).map(|place| (place, registration(place)));
    let edges = order::edges(members, &registration, &find, &ids, problems);
    match order::arrange(&(0..sorted.len()).collect::<Vec<_>>(), &edges) {
        Ok(mut order) => {
            if let Some(instrument) = instrument {
                order = instrument.reordered(order, &edges, &registration);
            }
            order.into_iter().map(|place| sorted[place]).collect()
        }
        Err(cycle) => {
            problems.push(cycle.problem(&registration));
            sorted
        }
    }
}
