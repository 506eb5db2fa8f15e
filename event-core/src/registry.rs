//! The linked program, read once: every event with its slot, every listener in the total order, and what is wrong with them.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::OnceLock;

use crate::build::error::{Code, Problem};
use crate::event::EventOps;
use crate::listener::{ListenerInfo, Phase};
use crate::registration::{self, EventRegistration, Linked, Registration};

/// A read-only description of the program; every bus is built from it.
pub(crate) struct Registry {
    /// In the order of the topics.
    pub(crate) events: Vec<&'static EventRegistration>,
    /// What to do with the event in each slot.
    pub(crate) slots: Vec<&'static EventOps>,
    /// In the order of phase, crate, module, line, column, function and id.
    pub(crate) listeners: Vec<&'static Linked>,
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
        let (listeners, sums) = sorted(registration::linked_listeners());
        if !all_differ(sums) {
            duplicate_ids(&listeners, &mut problems);
        }
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
            by_id: self.indexed().map(|(i, l)| (l.id, i)).collect(),
            by_key: self.indexed().map(|(i, l)| ((l.key)(), i)).collect(),
        })
    }

    /// What the listeners say of themselves.
    pub(crate) fn registrations(&self) -> impl Iterator<Item = Registration> {
        self.listeners.iter().map(|linked| linked.registration())
    }

    fn indexed(&self) -> impl Iterator<Item = (usize, Registration)> {
        self.registrations().enumerate()
    }

    pub(crate) fn registration(&self, index: usize) -> Registration {
        self.listeners[index].registration()
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

/// The total order without relations, and a checksum of every id.
fn sorted(listeners: impl Iterator<Item = &'static Linked>) -> (Vec<&'static Linked>, Vec<u64>) {
    let mut modules = Modules::default();
    let mut sums = Vec::new();
    for linked in listeners {
        linked.tell(&mut |said| {
            let place = (said.location.line(), said.location.column());
            let module = modules.of(said.module());
            module.listeners.push((said.phase, place, linked));
            sums.push(checksum(said.id.as_bytes()));
        });
    }
    let mut modules = modules.lists;
    modules.sort_unstable_by_key(|module| (module.krate, module.path));
    for module in &mut modules {
        // The linker's list mostly begins with what the source has last, and the sort makes use of what is in order already.
        module.listeners.reverse();
        module.listeners.sort_by(|(_, a, x), (_, b, y)| {
            let names = |linked: &Linked| {
                let said = linked.registration();
                (said.function(), said.id)
            };
            a.cmp(b).then_with(|| names(x).cmp(&names(y)))
        });
    }
    let mut order = Vec::with_capacity(sums.len());
    for phase in [Phase::Early, Phase::Main, Phase::Late] {
        let listeners = modules.iter().flat_map(|module| &module.listeners);
        let in_phase = listeners.filter(|(of, _, _)| *of == phase);
        order.extend(in_phase.map(|(_, _, linked)| *linked));
    }
    (order, sums)
}

/// The listeners by their modules.
#[derive(Default)]
struct Modules {
    lists: Vec<Module>,
    places: HashMap<&'static str, usize>,
    last: usize,
}

struct Module {
    krate: &'static str,
    path: &'static str,
    /// With phase, line and column.
    listeners: Vec<(Phase, (u32, u32), &'static Linked)>,
}

impl Modules {
    fn of(&mut self, path: &'static str) -> &mut Module {
        // The linker keeps the listeners of a module together, mostly.
        let again = self.lists.get(self.last);
        if again.is_none_or(|last| last.path != path) {
            self.last = *self.places.entry(path).or_insert(self.lists.len());
        }
        if self.last == self.lists.len() {
            self.lists.push(Module {
                krate: registration::crate_of(path),
                path,
                listeners: Vec::new(),
            });
        }
        &mut self.lists[self.last]
    }
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

fn duplicate_ids(listeners: &[&'static Linked], problems: &mut Vec<Problem>) {
    let mut seen = HashMap::new();
    for listener in listeners.iter().map(|linked| linked.registration()) {
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

/// Whether no two ids are equal. By chance it says no of some that differ, never yes of others: the start of every program pays for
/// this, and a map of the ids would cost as much as all the rest of reading the registry.
fn all_differ(mut sums: Vec<u64>) -> bool {
    sums.sort_unstable();
    sums.windows(2).all(|pair| pair[0] != pair[1])
}

pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let words = bytes.chunks_exact(8);
    let rest = words
        .remainder()
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte));
    let word = |chunk: &[u8]| chunk.try_into().map_or(0, u64::from_le_bytes);
    mix(words.map(word).fold(bytes.len() as u64, mix), rest)
}

#[cfg(test)]
mod tests {
    use super::{Registry, all_differ, checksum, nothing_gathered};

    #[test]
    fn l5_two_equal_ids_are_found_wherever_they_stand() {
        let ids = (0..2000).map(|n| format!("crate::module::listener_{n}"));
        let mut sums: Vec<u64> = ids.map(|id| checksum(id.as_bytes())).collect();

        assert!(all_differ(sums.clone()));
        for index in (0..sums.len()).step_by(97) {
            let mut twice = sums.clone();
            twice.push(sums[index]);
            assert!(!all_differ(twice));
        }
        sums.push(checksum(b"listener"));
        sums.push(checksum(b"listener\0"));
        assert!(all_differ(sums));
    }

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
