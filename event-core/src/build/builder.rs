//! Building a bus: chooses the listeners, checks everything, binds state, sorts.

use std::panic::Location;
use std::sync::Arc;

use crate::build;
use crate::build::error::BuildError;
use crate::build::instrument::Instrument;
use crate::build::select::{Chosen, ListenerSet, Selection};
use crate::build::state::StateMap;
use crate::build::tune::Tunes;
use crate::bus::Bus;
use crate::bus::carrier::Shared;
use crate::bus::hook::Hook;
use crate::dispatch::failure::Failure;
use crate::listener::policy::Policy;
use crate::runtime::Runtime;

/// Makes a [`Bus`]. Starts with all linked listeners and no state.
#[must_use = "a builder does nothing until `build`"]
pub struct BusBuilder {
    pub(crate) selection: Selection,
    pub(crate) state: StateMap,
    pub(crate) tunes: Tunes,
    pub(crate) runtime: Option<Arc<dyn Runtime>>,
    pub(crate) hook: Hook,
    pub(crate) instrument: Option<Instrument>,
    pub(crate) shared: Shared,
    pub(crate) threads: usize,
    pub(crate) is_default: bool,
}

impl BusBuilder {
    pub(crate) fn new() -> Self {
        Self {
            selection: Selection::default(),
            state: StateMap::default(),
            tunes: Tunes::default(),
            runtime: None,
            hook: Hook::default(),
            instrument: None,
            shared: Shared::default(),
            threads: 512,
            is_default: false,
        }
    }

    pub(crate) fn none(mut self) -> Self {
        self.selection.none = true;
        self
    }

    pub(crate) fn for_default(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// Gives state. Listeners ask for it with a parameter `&T`; an `Arc<T>` answers for `&T` too, an `Arc<dyn Trait>` for `&dyn Trait`.
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state.insert(value, Location::caller());
        self
    }

    /// Keeps only these listeners (and those of [`only_ids`](Self::only_ids)).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn only<M>(mut self, listeners: impl ListenerSet<M>) -> Self {
        listeners.keys(&mut self.selection.only.get_or_insert_default().keys);
        self
    }

    /// Keeps only the listeners with these ids (and those of [`only`](Self::only)).
    pub fn only_ids<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        self.selection
            .only
            .get_or_insert_default()
            .ids
            .extend(ids.into_iter().map(str::to_owned));
        self
    }

    /// Leaves these listeners out.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn without<M>(mut self, listeners: impl ListenerSet<M>) -> Self {
        listeners.keys(&mut self.selection.without.keys);
        self
    }

    /// Leaves the listeners with these ids out.
    pub fn without_ids<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        self.selection
            .without
            .ids
            .extend(ids.into_iter().map(str::to_owned));
        self
    }

    /// Keeps only the listeners of these crates; `-` and `_` are the same in a name.
    pub fn crates<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter().map(|name| name.replace('-', "_"));
        self.selection.crates.get_or_insert_default().extend(names);
        self
    }

    /// Changes how the deliveries of listeners are carried, as their attributes say it. Of several changes each goes on from the one before.
    ///
    /// A method is named by its path, like `Mailer::confirm`; the change holds for every instance that is attached to the bus. What runs inside
    /// `emit` cannot be tuned: building the bus fails then, also if the bus leaves the listener out.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener]
    /// async fn charge(_: &Placed) {}
    ///
    /// let bus = Bus::builder()
    ///     .tune(charge, |policy| policy.limit(8).timeout(Duration::from_secs(5)))
    ///     .build()?;
    /// # drop(bus);
    /// # Ok::<(), tidings::BuildError>(())
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn tune<M>(
        mut self,
        listeners: impl ListenerSet<M>,
        change: impl Fn(Policy) -> Policy + Send + Sync + 'static,
    ) -> Self {
        let mut keys = Vec::new();
        listeners.keys(&mut keys);
        self.tunes.add(keys, change);
        self
    }

    /// Where async deliveries run that are not awaited.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(runtime.lend());
        self
    }

    /// At most `limit` threads run the queues of sync listeners, 512 by default. A worker for which there is none is reported once and
    /// started when there is room again.
    pub fn threads(mut self, limit: usize) -> Self {
        self.threads = limit.max(1);
        self
    }

    /// Is told every failure, on the thread where it happened. Without it a failure is a `tracing` error event, or a line on stderr.
    pub fn on_failure(mut self, hook: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.hook = Hook::User(Box::new(hook));
        self
    }

    /// For the test kit: state in the place of what was given before.
    #[doc(hidden)]
    #[track_caller]
    pub fn __fake<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.state.replace(value, Location::caller());
        self
    }

    /// For the test kit.
    #[doc(hidden)]
    pub fn __instrument(mut self, instrument: Instrument) -> Self {
        self.instrument = Some(instrument);
        self
    }

    /// Checks every linked listener and makes the bus.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with all problems at once.
    #[track_caller]
    pub fn build(self) -> Result<Bus, BuildError> {
        build::build(self, &format!("the bus built at {}", Location::caller()))
    }
}

impl Chosen {
    fn len(&self) -> usize {
        self.keys.len() + self.ids.len()
    }
}

impl std::fmt::Debug for BusBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusBuilder")
            .field("state", &self.state.names())
            .field("only", &self.selection.only.as_ref().map(Chosen::len))
            .field("without", &self.selection.without.len())
            .field("crates", &self.selection.crates)
            .finish_non_exhaustive()
    }
}
