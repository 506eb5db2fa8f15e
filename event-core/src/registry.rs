//! The linked program, read once: every event with its slot, every listener in the total order, and what is wrong with them.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::error::{Code, Problem};
use crate::event::EventOps;
use crate::listener::ListenerInfo;
use crate::registration::{self, EventRegistration, Registration};

/// A read-only description of the program; every bus is built from it.
pub(crate) struct Registry {
    /// In the order of the topics.
    pub(crate) events: Vec<&'static EventRegistration>,
    /// What to do with the event in each slot.
    pub(crate) slots: Vec<&'static EventOps>,
    /// In the order of phase, crate, module, line, column, function and id.
    pub(crate) listeners: Vec<&'static Registration>,
    pub(crate) problems: Vec<Problem>,
    names: OnceLock<Names>,
}

/// Look-ups that only some programs need.
struct Names {
    by_id: HashMap<&'static str, usize>,
    by_key: HashMap<TypeId, usize>,
}

impl Registry {
    pub(crate) fn get() -> &'static Self {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        REGISTRY.get_or_init(Self::read)
    }

    fn read() -> Self {
        let mut problems = Vec::new();
        problems.extend(nothing_gathered(registration::platform_gathers()));
        let mut events: Vec<_> = registration::linked_events().collect();
        events.sort_by_key(|event| {
            (
                event.info.topic(),
                event.info.location().file(),
                event.info.location().line(),
                event.info.location().column(),
            )
        });
        let mut slots = Vec::new();
        for ops in events.iter().filter_map(|event| event.ops) {
            let ops = ops();
            if let Some(index) = (ops.index)() {
                index.assign(
                    u32::try_from(slots.len()).expect("a program declares fewer than 2^32 events"),
                );
                slots.push(ops);
            }
        }
        duplicate_topics(&events, &mut problems);
        let mut listeners: Vec<_> = registration::linked_listeners().collect();
        sort(&mut listeners);
        duplicate_ids(&listeners, &mut problems);
        Self {
            events,
            slots,
            listeners,
            problems,
            names: OnceLock::new(),
        }
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names {
            by_id: self
                .listeners
                .iter()
                .enumerate()
                .map(|(i, l)| (l.id, i))
                .collect(),
            by_key: self
                .listeners
                .iter()
                .enumerate()
                .map(|(i, l)| (l.key.id(), i))
                .collect(),
        })
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<usize> {
        self.names().by_id.get(id).copied()
    }

    pub(crate) fn by_key(&self, key: TypeId) -> Option<usize> {
        self.names().by_key.get(&key).copied()
    }

    pub(crate) fn info(&self, index: usize) -> ListenerInfo {
        ListenerInfo::linked(self.listeners[index])
    }
}

/// Where even the library's own record is missing, the listeners are missing too, whatever the program declares.
fn nothing_gathered(own_record: bool) -> Option<Problem> {
    (!own_record).then(|| {
        Problem::new(
            Code::RegistryEmpty,
            "no record of any event or listener was gathered, not even the library's own",
            None,
            "this target does not run static constructors before `main`; see the README's chapter on limits",
        )
    })
}

/// The total order without relations. Module paths are ranked first, so that the sort compares numbers.
fn sort(listeners: &mut Vec<&'static Registration>) {
    let modules: HashSet<&'static str> = listeners.iter().map(|l| l.module).collect();
    let mut modules: Vec<_> = modules
        .into_iter()
        .map(|m| (registration::crate_of(m), m))
        .collect();
    modules.sort_unstable();
    let ranks: HashMap<&str, usize> = modules
        .into_iter()
        .enumerate()
        .map(|(rank, (_, module))| (module, rank))
        .collect();
    let mut keyed: Vec<_> = listeners
        .drain(..)
        .map(|l| {
            (
                (
                    l.phase,
                    ranks[l.module],
                    l.location.line(),
                    l.location.column(),
                ),
                l,
            )
        })
        .collect();
    keyed.sort_unstable_by(|(a, x), (b, y)| {
        a.cmp(b)
            .then_with(|| x.function.cmp(y.function))
            .then_with(|| x.id.cmp(y.id))
    });
    listeners.extend(keyed.into_iter().map(|(_, l)| l));
}

fn duplicate_topics(events: &[&'static EventRegistration], problems: &mut Vec<Problem>) {
    for pair in events.windows(2) {
        let (first, second) = (pair[0].info, pair[1].info);
        if first.topic() == second.topic() {
            problems.push(Problem::new(
                Code::DuplicateTopic,
                format!(
                    "two events have the topic `{}`: `{}` at {} and `{}` at {}",
                    first.topic(),
                    first.type_name(),
                    first.location(),
                    second.type_name(),
                    second.location()
                ),
                Some(second.location()),
                "name another topic in one of them: `#[event(\"..\")]`",
            ));
        }
    }
}

fn duplicate_ids(listeners: &[&'static Registration], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, &Registration> = HashMap::with_capacity(listeners.len());
    for listener in listeners {
        if let Some(first) = seen.insert(listener.id, listener) {
            problems.push(Problem::new(
                Code::DuplicateId,
                format!(
                    "two listeners have the id `{}`: at {} and at {}",
                    listener.id, first.location, listener.location
                ),
                Some(listener.location),
                "give one of them an id of its own: `#[listener(id = \"..\")]`",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Registry, nothing_gathered};

    #[test]
    fn s5_a_registry_that_the_platform_left_empty_is_a_problem() {
        let problem = nothing_gathered(false).expect("the platform gathered nothing");

        assert_eq!(
            problem.to_string(),
            "[registry-empty] no record of any event or listener was gathered, not even the library's own\n    \
             help: this target does not run static constructors before `main`; see the README's chapter on limits"
        );
    }

    #[test]
    fn s5_this_platform_gathers_the_librarys_own_record() {
        assert!(nothing_gathered(true).is_none());
        assert!(Registry::get().problems.is_empty());
    }
}
