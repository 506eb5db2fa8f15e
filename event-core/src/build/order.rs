//! `before` and `after`: what they name, and the order that follows.

use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::build::error::{Code, Problem, nearest, suggestion};
use crate::listener::Target;
use crate::listener::hear::Heard;
use crate::registration::Registration;
use crate::registry::checksum;

/// That one listener runs before another, both named by their place in the total order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) first: usize,
    pub(crate) second: usize,
}

/// What a relation's target is.
pub(crate) enum Found {
    /// One of the listeners that are ordered.
    Member(usize),
    /// A listener that is left out here.
    LeftOut,
    Nothing,
}

/// Reads the relations of `listeners` (each with its index); `find` looks a target up.
pub(crate) fn edges(
    listeners: impl Iterator<Item = (usize, Registration)>,
    registration: &dyn Fn(usize) -> Registration,
    find: &dyn Fn(Target) -> Found,
    ids: &dyn Fn() -> Vec<&'static str>,
    problems: &mut Vec<Problem>,
) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (index, listener) in listeners {
        for relation in listener.relations {
            let other = match find(relation.target) {
                Found::Member(other) => other,
                Found::LeftOut => continue,
                Found::Nothing => {
                    problems.push(not_found(&listener, relation.target, &ids()));
                    continue;
                }
            };
            let (first, second) = if relation.before {
                (index, other)
            } else {
                (other, index)
            };
            let (one, two) = (registration(first), registration(second));
            if one.phase > two.phase {
                problems.push(wrong_phase(&listener, &one, &two));
            } else if !hear_together(&one, &two) {
                problems.push(unrelated(&listener, &registration(other)));
            } else {
                edges.push(Edge { first, second });
            }
        }
    }
    edges
}

fn not_found(listener: &Registration, target: Target, ids: &[&'static str]) -> Problem {
    match target {
        Target::Function(key) => Problem::new(
            Code::NotAListener,
            format!(
                "listener `{}` is ordered against `{}`, which is not a listener",
                listener.id,
                key.name()
            ),
            Some(listener.location),
            "put `#[listener]` on that function, or name another one",
        ),
        Target::Id(id) => Problem::new(
            Code::UnknownId,
            format!(
                "listener `{}` is ordered against the id `{id}`, which no listener has{}",
                listener.id,
                suggestion(&nearest(id, ids.iter().copied()))
            ),
            Some(listener.location),
            "name the id of a linked listener; an id is `crate::module::function` unless its attribute says `id = \"..\"`",
        ),
    }
}

fn wrong_phase(listener: &Registration, first: &Registration, second: &Registration) -> Problem {
    Problem::new(
        Code::OrderPhase,
        format!(
            "`{}` shall run before `{}`, but the first is {} and the second {}",
            first.id, second.id, first.phase, second.phase
        ),
        Some(listener.location),
        "take out the relation, or put both in one phase",
    )
}

fn unrelated(listener: &Registration, other: &Registration) -> Problem {
    Problem::new(
        Code::OrderUnrelated,
        format!(
            "listener `{}` is ordered against `{}`, but no event reaches both: they hear {} and {}",
            listener.id,
            other.id,
            topics(listener),
            topics(other)
        ),
        Some(listener.location),
        "take out the relation, or let both hear the event",
    )
}

fn topics(listener: &Registration) -> String {
    listener
        .topics()
        .iter()
        .map(|topic| format!("`{topic}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether one event may reach both.
fn hear_together(a: &Registration, b: &Registration) -> bool {
    match ((a.heard)(), (b.heard)()) {
        (Heard::One { type_id: x, .. }, Heard::One { type_id: y, .. }) => x() == y(),
        (Heard::One { info, .. }, Heard::Any) => b.selects(info()),
        (Heard::Any, Heard::One { info, .. }) => a.selects(info()),
        // Which events two patterns share may be known only later.
        (Heard::Any, Heard::Any) => true,
    }
}

/// A circle of relations, each before the next and the last before the first.
#[derive(Debug)]
pub(crate) struct Cycle(Vec<usize>);

/// The members as they shall run: of those that may come next always the first in the total order.
pub(crate) fn arrange(members: &[usize], edges: &[Edge]) -> Result<Vec<usize>, Cycle> {
    let mut sorted = members.to_vec();
    sorted.sort_unstable();
    let inside = |index: usize| sorted.binary_search(&index).is_ok();
    let edges: Vec<_> = edges
        .iter()
        .filter(|e| inside(e.first) && inside(e.second))
        .collect();
    if edges.is_empty() {
        return Ok(sorted);
    }
    let mut waits: HashMap<usize, usize> = sorted.iter().map(|&index| (index, 0)).collect();
    let mut followers: HashMap<usize, Vec<usize>> = HashMap::new();
    for edge in &edges {
        *waits.entry(edge.second).or_default() += 1;
        followers.entry(edge.first).or_default().push(edge.second);
    }
    let mut ready: BTreeSet<usize> = sorted
        .iter()
        .copied()
        .filter(|index| waits[index] == 0)
        .collect();
    let mut order = Vec::with_capacity(sorted.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for follower in followers.get(&next).into_iter().flatten() {
            let left = waits.entry(*follower).or_default();
            *left -= 1;
            if *left == 0 {
                ready.insert(*follower);
            }
        }
    }
    if order.len() == sorted.len() {
        Ok(order)
    } else {
        Err(cycle(&waits, &followers))
    }
}

/// Another order that phases and relations allow, of members that are in order: 0 leaves it, 1 turns every two that are not related to any, and
/// any other seed draws one.
pub(crate) fn reorder(
    order: Vec<usize>,
    edges: &[Edge],
    seed: u64,
    registration: &dyn Fn(usize) -> Registration,
) -> Vec<usize> {
    if seed == 0 {
        return order;
    }
    let mut drawn = order.clone();
    drawn.sort_by_cached_key(|index| {
        let listener = registration(*index);
        let place = match seed {
            1 => u64::MAX - *index as u64,
            // By the id, so that a listener more leaves the others as they were drawn.
            _ => mix(seed ^ mix(checksum(listener.id.as_bytes()))),
        };
        (listener.phase, place, *index)
    });
    let places: HashMap<usize, usize> = (drawn.iter().enumerate())
        .map(|(place, index)| (*index, place))
        .collect();
    let edges: Vec<_> = edges
        .iter()
        .filter_map(|edge| {
            Some(Edge {
                first: *places.get(&edge.first)?,
                second: *places.get(&edge.second)?,
            })
        })
        .collect();
    let all: Vec<_> = (0..drawn.len()).collect();
    // A circle is reported by who found the order.
    arrange(&all, &edges).map_or(order, |places| {
        places.into_iter().map(|place| drawn[place]).collect()
    })
}

/// The last step of a known generator (splitmix64): one bit of the seed changes half of the bits.
fn mix(seed: u64) -> u64 {
    let word = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Follows what still waits until a listener comes again.
fn cycle(waits: &HashMap<usize, usize>, followers: &HashMap<usize, Vec<usize>>) -> Cycle {
    let waiting = |index: &usize| waits.get(index).is_some_and(|left| *left > 0);
    // Everything that waits stands on a circle or behind one, so the way back along the relations ends in one.
    let before = |index: usize| {
        let mut sources: Vec<_> = followers
            .iter()
            .filter(|(first, seconds)| waiting(first) && seconds.contains(&index))
            .map(|(first, _)| *first)
            .collect();
        sources.sort_unstable();
        sources.first().copied()
    };
    let mut path: Vec<usize> = waits
        .keys()
        .copied()
        .filter(|index| waiting(index))
        .min()
        .into_iter()
        .collect();
    while let Some(previous) = path.last().and_then(|last| before(*last)) {
        if let Some(start) = path.iter().position(|index| *index == previous) {
            path.drain(..start);
            break;
        }
        path.push(previous);
    }
    path.reverse();
    if let Some(first) = (0..path.len()).min_by_key(|i| path[*i]) {
        path.rotate_left(first);
    }
    Cycle(path)
}

impl Cycle {
    pub(crate) fn problem(&self, registration: &dyn Fn(usize) -> Registration) -> Problem {
        let ids: Vec<_> = self
            .0
            .iter()
            .chain(self.0.first())
            .map(|index| format!("`{}`", registration(*index).id))
            .collect();
        let location = self.0.first().map(|index| registration(*index).location);
        Problem::new(
            Code::OrderCycle,
            format!("the order leads in a circle: {}", ids.join(" before ")),
            location,
            "take out one of these relations",
        )
    }
}
