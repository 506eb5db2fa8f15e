//! What happens in `build`: every check, and the tables.

mod answers;
pub(crate) mod builder;
pub(crate) mod error;
pub(crate) mod installer;
pub(crate) mod instrument;
pub(crate) mod order;
pub(crate) mod select;
pub(crate) mod state;
pub(crate) mod tune;

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use crate::build::builder::BusBuilder;
use crate::build::error::{BuildError, Code, Problem};
use crate::build::installer::{Drafts, Installer, Place};
use crate::build::instrument::{Instrument, needs_its_code, without_state};
use crate::build::order::{Edge, Found};
use crate::build::state::StateMap;
use crate::bus::generic::Generic;
use crate::bus::overlay::PLAIN;
use crate::bus::{Bus, LinkedPattern, Parts};
use crate::dispatch::context::Context;
use crate::dispatch::table::{Cell, Draft, NotSend};
use crate::event::EventOps;
use crate::listener::{ListenerInfo, Mode, StateNeed, Target};
use crate::registration::{self, Registration};
use crate::registry::Registry;

/// Makes the bus; `name` says in messages which one it is.
pub(crate) fn build(mut builder: BusBuilder, name: &str) -> Result<Bus, BuildError> {
    let registry = Registry::get();
    let mut problems = registry.problems.clone();
    problems.append(&mut builder.state.take_problems());
    if builder.selection.none {
        // A bus for subscriptions only has nothing to do with how listeners are named.
        problems.retain(|problem| problem.code() != Code::DuplicateId);
    } else {
        check_links(registry, &mut problems);
    }
    let chosen = builder.selection.apply(registry, &mut problems);
    let mut members = Members {
        registry,
        chosen,
        related: Vec::new(),
        answerers: Vec::new(),
    };
    let mut drafts = Drafts::default();
    builder.tunes.check(registry, &mut problems);
    if let Some(instrument) = &builder.instrument {
        instrument.check(registry, &mut problems);
    }
    members.install(&builder, name, &mut drafts, &mut problems);
    problems.append(&mut drafts.problems);
    let edges = members.edges(&mut problems);
    answers::two(&members.answerers, &mut problems);
    if !builder.selection.none && builder.instrument.is_none() {
        answers::none(registry, &mut problems);
    }
    add_patterns(registry, &mut drafts, &mut problems);
    let instrument = builder.instrument.as_ref();
    let (cells, generic) = finish(&mut drafts, &edges, registry, instrument, &mut problems);
    let carriers = std::mem::take(&mut drafts.carriers).into_iter();
    let carriers = carriers.map(|(index, carrier)| (registry.info(index), carrier));
    let patterns: Vec<_> = drafts
        .any
        .into_iter()
        .map(|(index, run)| LinkedPattern { index, run })
        .collect();
    let pattern_members: Vec<_> = patterns.iter().map(|pattern| pattern.index).collect();
    // Which of them meet at events that come later is not known, so together they must be in order.
    if let Err(cycle) = order::arrange(&pattern_members, &edges) {
        problems.push(cycle.problem(&|index| registry.registration(index)));
    }
    BuildError::check(unique(problems))?;
    // Only a bus that is built may leave something behind.
    let partial = members.partly_heard();
    for (index, (ops, cell)) in registry.slots.iter().zip(&cells).enumerate() {
        if cell.flag.mode() == PLAIN {
            (ops.keep)(cell, !partial.contains(&index));
        }
    }
    let BusBuilder {
        state,
        tunes,
        runtime,
        hook,
        instrument,
        shared,
        threads,
        is_default,
        ..
    } = builder;
    Ok(Bus::from_parts(Parts {
        cells,
        generic,
        state,
        tunes,
        patterns,
        edges,
        runtime,
        hook,
        instrument,
        shared,
        threads,
        is_default,
        carriers: carriers.collect(),
    }))
}

/// The linked listeners that a bus has.
struct Members {
    registry: &'static Registry,
    chosen: Vec<bool>,
    /// Those that are ordered against others.
    related: Vec<(usize, Registration)>,
    /// Those that answer requests.
    answerers: Vec<Registration>,
}

impl Members {
    /// Installs those whose state was given.
    fn install(
        &mut self,
        builder: &BusBuilder,
        bus: &str,
        drafts: &mut Drafts,
        problems: &mut Vec<Problem>,
    ) {
        let BusBuilder {
            state, instrument, ..
        } = builder;
        for (index, linked) in self.registry.listeners.iter().enumerate() {
            if !self.chosen[index] {
                continue;
            }
            let mut stand_in = None;
            let mut accepts = |listener: &Registration| {
                if listener.replies {
                    self.answerers.push(*listener);
                }
                if !listener.relations.is_empty() {
                    self.related.push((index, *listener));
                }
                let found = |instrument: &Instrument| instrument.replacement(listener).copied();
                let mut missing = Vec::new();
                let complete = check_needs(listener, state, bus, &mut missing);
                match instrument.as_ref().and_then(found) {
                    Some(replaced) if !complete => match needs_its_code(listener) {
                        None => stand_in = Some((replaced, *listener)),
                        Some(what) => {
                            problems.append(&mut missing);
                            problems.push(without_state(&replaced, listener, what));
                        }
                    },
                    _ => problems.append(&mut missing),
                }
                complete
            };
            linked.install(&mut Installer::new(
                &mut accepts,
                Some(place(builder, drafts, index)),
            ));
            if let Some((replaced, listener)) = stand_in {
                let mut always = |_: &Registration| true;
                let mut installer =
                    Installer::new(&mut always, Some(place(builder, drafts, index)));
                installer.accepts(&listener);
                (replaced.install)(&mut installer, listener.mode(), listener.asynchronous);
                drafts
                    .bind_last(index, &listener)
                    .unwrap_or_else(|(ops, NotSend)| {
                        problems.push(not_send(&self.registry.info(index), ops));
                    });
            }
        }
    }

    /// The events of which the bus left listeners out, by their index.
    fn partly_heard(&self) -> HashSet<usize> {
        let left_out = (0..self.chosen.len()).filter(|index| !self.chosen[*index]);
        let slots = &self.registry.slots;
        left_out
            .map(|index| self.registry.registration(index))
            .flat_map(|listener| {
                let heard = move |index: &usize| listener.reached_by((slots[*index].info)());
                (0..slots.len()).filter(heard)
            })
            .collect()
    }

    fn edges(&self, problems: &mut Vec<Problem>) -> Vec<Edge> {
        let find = |target: Target| {
            let index = match target {
                Target::Function(key) => self.registry.by_key(key.id()),
                Target::Id(id) => self.registry.by_id(id),
            };
            match index {
                Some(index) if self.chosen[index] => Found::Member(index),
                Some(_) => Found::LeftOut,
                None => Found::Nothing,
            }
        };
        let ids = || self.registry.registrations().map(|l| l.id).collect();
        order::edges(
            self.related.iter().copied(),
            &|index| self.registry.registration(index),
            &find,
            &ids,
            problems,
        )
    }
}

fn place<'a>(builder: &'a BusBuilder, drafts: &'a mut Drafts, index: usize) -> Place<'a> {
    Place {
        state: &builder.state,
        drafts,
        index,
        tunes: &builder.tunes,
        runtime: builder.runtime.as_ref(),
        shared: &builder.shared,
        threads: builder.threads,
    }
}

/// Every crate that a binary names in `link!` must bring something.
fn check_links(registry: &Registry, problems: &mut Vec<Problem>) {
    for request in registration::link_requests() {
        let name = request.name.replace('-', "_");
        let brings = (registry.registrations()).any(|l| l.crate_name() == name)
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
    bus: &str,
    problems: &mut Vec<Problem>,
) -> bool {
    let mut complete = true;
    for need in listener.needs {
        let Some(asked) = need.state().filter(|_| !(need.given)(state)) else {
            continue;
        };
        complete = false;
        problems.push(missing_state(listener, &asked, state, bus));
    }
    complete
}

/// What is wrong if a bus has not the state that a listener needs.
pub(crate) fn missing_state(
    listener: &Registration,
    asked: &StateNeed,
    state: &StateMap,
    bus: &str,
) -> Problem {
    let given = state.names();
    let given = if given.is_empty() {
        "none".to_owned()
    } else {
        given.join(", ")
    };
    Problem::new(
        Code::MissingState,
        format!(
            "listener `{}` needs state `{}` (parameter `{}`), which {bus} was not given; given: {given}",
            listener.id, asked.type_name, asked.parameter
        ),
        Some(listener.location),
        help_for(listener, asked),
    )
}

fn help_for(listener: &Registration, asked: &StateNeed) -> String {
    let parameter = asked.parameter;
    if asked.type_name == std::any::type_name::<Context<'static>>() {
        return format!("a context is taken by value: `{parameter}: Context<'_>`");
    }
    let mut events = Registry::get().events.iter();
    if events.any(|event| event.info.type_name() == asked.type_name) {
        return match listener.mode() {
            Mode::Every => format!(
                "`{parameter}` is an event, and a tick hears none: take it out, or write `debounce` or `throttle` instead of `every`"
            ),
            _ => format!(
                "`{parameter}` is an event, and a listener hears the one of its first parameter: write another listener for it"
            ),
        };
    }
    format!("give it: `Bus::builder().state(..)`, or make it optional: `{parameter}: Option<&..>`")
}

/// Adds the pattern listeners to the events that they match.
fn add_patterns(registry: &'static Registry, drafts: &mut Drafts, problems: &mut Vec<Problem>) {
    let any = std::mem::take(&mut drafts.any);
    let generic: Vec<&'static EventOps> = drafts.generic.values().map(|(ops, _)| *ops).collect();
    for (index, run) in &any {
        let listener = registry.registration(*index);
        let events = registry
            .slots
            .iter()
            .chain(&generic)
            .filter(|ops| listener.selects((ops.info)()));
        for ops in events {
            if let Err(NotSend) = drafts.draft(ops).add_any(*index, run.clone()) {
                problems.push(not_send(&registry.info(*index), ops));
            }
        }
    }
    drafts.any = any;
}

pub(crate) fn not_send(listener: &ListenerInfo, ops: &EventOps) -> Problem {
    Problem::new(
        Code::NotSend,
        format!(
            "{} listener `{}` hears `{}` by a pattern, but `{}` is not `Send + Sync`",
            match listener.mode() {
                Mode::Queue => "queued",
                Mode::Debounce | Mode::Throttle => "timed",
                _ => "async",
            },
            listener.id(),
            (ops.info)().topic(),
            (ops.type_name)()
        ),
        Some(listener.location()),
        "make the payload `Send + Sync`, the listener a plain `fn` without `queue`, or the pattern narrower",
    )
}

/// Orders the listeners of every event and makes the tables.
fn finish(
    drafts: &mut Drafts,
    edges: &[Edge],
    registry: &'static Registry,
    instrument: Option<&Instrument>,
    problems: &mut Vec<Problem>,
) -> (Vec<Cell>, HashMap<TypeId, Generic>) {
    let mut table = |mut draft: Draft| {
        if instrument.is_some_and(|instrument| instrument.stubs(draft.event())) {
            draft.clear();
        }
        let members = draft.members();
        let mut order = order::arrange(&members, edges).unwrap_or_else(|cycle| {
            problems.push(cycle.problem(&|index| registry.registration(index)));
            members
        });
        if let Some(instrument) = instrument {
            order = instrument.reordered(order, edges, &|index| registry.registration(index));
        }
        draft.finish(&order, &|index| registry.info(index), instrument.is_some())
    };
    let mut slots = std::mem::take(&mut drafts.slots).into_iter();
    let draft_of = registry
        .slots
        .iter()
        .map(|ops| slots.next().flatten().unwrap_or_else(|| Draft::new(ops)));
    let cells = draft_of.map(&mut table).collect();
    let generic = std::mem::take(&mut drafts.generic).into_iter();
    let generic = generic
        .map(|(id, (ops, draft))| (id, Generic::new(ops, table(draft))))
        .collect();
    (cells, generic)
}

/// One circle may be met at many events.
fn unique(problems: Vec<Problem>) -> Vec<Problem> {
    let mut seen = HashSet::new();
    problems
        .into_iter()
        .filter(|problem| seen.insert(problem.to_string()))
        .collect()
}
