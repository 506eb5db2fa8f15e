//! Building a bus: chooses the listeners, checks everything, binds state, sorts.

use std::panic::Location;
use std::sync::Arc;

use crate::bus::{Bus, LinkedPattern, Parts};
use crate::error::{BuildError, Code, Problem};
use crate::event::EventOps;
use crate::failure::Failure;
use crate::generic::Generic;
use crate::hook::Hook;
use crate::installer::{Drafts, Installer};
use crate::listener::{ListenerInfo, Target};
use crate::order::{self, Edge, Found};
use crate::registration::{self, Registration};
use crate::registry::Registry;
use crate::runtime::Runtime;
use crate::select::{Chosen, ListenerSet, Selection};
use crate::state::StateMap;
use crate::table::{Cell, NotSend, TableDraft};

/// Makes a [`Bus`]. Starts with all linked listeners and no state.
#[must_use = "a builder does nothing until `build`"]
pub struct BusBuilder {
    selection: Selection,
    state: StateMap,
    runtime: Option<Arc<dyn Runtime>>,
    hook: Hook,
}

impl BusBuilder {
    pub(crate) fn new() -> Self {
        Self {
            selection: Selection::default(),
            state: StateMap::default(),
            runtime: None,
            hook: Hook::default(),
        }
    }

    pub(crate) fn none(mut self) -> Self {
        self.selection.none = true;
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

    /// Where async deliveries run that are not awaited.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// Is told every failure, on the thread where it happened. Without it a failure is a `tracing` error event, or a line on stderr.
    pub fn on_failure(mut self, hook: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.hook = Hook::User(Box::new(hook));
        self
    }

    /// Checks every linked listener and makes the bus.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with all problems at once.
    #[track_caller]
    pub fn build(mut self) -> Result<Bus, BuildError> {
        let registry = Registry::get();
        let mut problems = registry.problems.clone();
        problems.append(&mut self.state.take_problems());
        if self.selection.none {
            // A bus for subscriptions only has nothing to do with how listeners are named.
            problems.retain(|problem| problem.code() != Code::DuplicateId);
        } else {
            check_links(registry, &mut problems);
        }
        let chosen = self.selection.apply(registry, &mut problems);
        let members = || {
            registry
                .listeners
                .iter()
                .enumerate()
                .filter(|(index, _)| chosen[*index])
                .map(|(index, l)| (index, *l))
        };

        let mut drafts = Drafts::default();
        for (index, listener) in members() {
            if check_needs(listener, &self.state, Location::caller(), &mut problems) {
                (listener.install)(&mut Installer::new(&self.state, &mut drafts, index));
            }
        }
        let find = |target: Target| match target_index(registry, target) {
            Some(index) if chosen[index] => Found::Member(index),
            Some(_) => Found::LeftOut,
            None => Found::Nothing,
        };
        let ids = || registry.listeners.iter().map(|l| l.id).collect();
        let edges = order::edges(
            members(),
            &|index| registry.listeners[index],
            &find,
            &ids,
            &mut problems,
        );

        add_patterns(registry, &mut drafts, &mut problems);
        let finish = |draft: Box<dyn TableDraft>, problems: &mut Vec<Problem>| {
            finish(draft, &edges, registry, problems)
        };
        let mut slots = drafts.slots.into_iter();
        let cells: Vec<Cell> = registry
            .slots
            .iter()
            .map(|ops| {
                finish(
                    slots.next().flatten().unwrap_or_else(ops.draft),
                    &mut problems,
                )
            })
            .collect();
        let generic = drafts
            .generic
            .into_iter()
            .map(|(id, (ops, draft))| (id, Generic::new(ops, finish(draft, &mut problems))))
            .collect();
        let patterns: Vec<_> = drafts
            .any
            .into_iter()
            .map(|(index, run)| LinkedPattern { index, run })
            .collect();
        let pattern_members: Vec<_> = patterns.iter().map(|pattern| pattern.index).collect();
        if let Err(cycle) = order::arrange(&pattern_members, &edges) {
            problems.push(cycle.problem(&|index| registry.listeners[index]));
        }
        BuildError::check(unique(problems))?;
        Ok(Bus::from_parts(Parts {
            cells,
            generic,
            state: self.state,
            patterns,
            edges,
            runtime: self.runtime,
            hook: self.hook,
        }))
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

/// Every crate that a binary names in `link!` must bring something.
fn check_links(registry: &Registry, problems: &mut Vec<Problem>) {
    for request in registration::link_requests() {
        let name = request.name.replace('-', "_");
        let brings = registry.listeners.iter().any(|l| l.crate_name() == name)
            || registry
                .events
                .iter()
                .any(|e| registration::crate_of(e.info.type_name()) == name);
        if !brings {
            problems.push(Problem::new(
                Code::NothingLinked,
                format!("`tidings::link!({name})` names a crate that registers neither an event nor a listener"),
                Some(request.location),
                format!("take it out; or, if `{name}` is a renamed dependency, write `link!({name} = \"its-own-name\")`"),
            ));
        }
    }
}

/// Whether all state that a listener needs was given.
pub(crate) fn check_needs(
    listener: &Registration,
    state: &StateMap,
    built: &'static Location<'static>,
    problems: &mut Vec<Problem>,
) -> bool {
    let mut complete = true;
    for need in listener.needs {
        let Some(asked) = need.state().filter(|_| !(need.given)(state)) else {
            continue;
        };
        complete = false;
        let given = state.names();
        let given = if given.is_empty() {
            "none".to_owned()
        } else {
            given.join(", ")
        };
        problems.push(Problem::new(
            Code::MissingState,
            format!(
                "listener `{}` needs state `{}` (parameter `{}`), which the bus built at {built} was not given; given: {given}",
                listener.id, asked.type_name, asked.parameter
            ),
            Some(listener.location),
            format!("give it: `Bus::builder().state(..)`, or make it optional: `{}: Option<&..>`", asked.parameter),
        ));
    }
    complete
}

fn target_index(registry: &Registry, target: Target) -> Option<usize> {
    match target {
        Target::Function(key) => registry.by_key(key.id()),
        Target::Id(id) => registry.by_id(id),
    }
}

/// Adds the pattern listeners to the events that they match.
fn add_patterns(registry: &'static Registry, drafts: &mut Drafts, problems: &mut Vec<Problem>) {
    let any = std::mem::take(&mut drafts.any);
    let generic: Vec<&'static EventOps> = drafts.generic.values().map(|(ops, _)| *ops).collect();
    for (index, run) in &any {
        let listener = registry.listeners[*index];
        let events = registry
            .slots
            .iter()
            .chain(&generic)
            .filter(|ops| listener.selects((ops.info)()));
        for ops in events {
            if let Err(NotSend) = drafts.draft(ops).add_any(*index, run.clone()) {
                problems.push(not_send(&ListenerInfo::linked(listener), ops));
            }
        }
    }
    drafts.any = any;
}

pub(crate) fn not_send(listener: &ListenerInfo, ops: &EventOps) -> Problem {
    Problem::new(
        Code::NotSend,
        format!(
            "async listener `{}` hears `{}` by a pattern, but `{}` is not `Send + Sync`",
            listener.id(),
            (ops.info)().topic(),
            (ops.type_name)()
        ),
        Some(listener.location()),
        "make the payload `Send + Sync`, the listener a plain `fn`, or the pattern narrower",
    )
}

/// Orders one event's listeners.
fn finish(
    draft: Box<dyn TableDraft>,
    edges: &[Edge],
    registry: &'static Registry,
    problems: &mut Vec<Problem>,
) -> Cell {
    let members = draft.members();
    let order = order::arrange(&members, edges).unwrap_or_else(|cycle| {
        problems.push(cycle.problem(&|index| registry.listeners[index]));
        members
    });
    draft.finish(&order, &|index| registry.info(index))
}

/// One circle may be met at many events.
fn unique(problems: Vec<Problem>) -> Vec<Problem> {
    let mut seen = std::collections::HashSet::new();
    problems
        .into_iter()
        .filter(|problem| seen.insert(problem.to_string()))
        .collect()
}
