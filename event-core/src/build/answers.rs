//! That a request is answered once.

use crate::build::error::{BuildError, Code, Problem};
use crate::bus::Inner;
use crate::event::{EventInfo, Unanswered};
use crate::listener::ListenerInfo;
use crate::listener::hear::Heard;
use crate::registration::{self, Registration};
use crate::registry::Registry;

/// Reports every request that two of these listeners answer.
pub(super) fn two(answerers: &[Registration], problems: &mut Vec<Problem>) {
    for (at, second) in answerers.iter().enumerate() {
        let mut before = answerers[..at].iter();
        if let Some(first) = before.find(|first| same_request(first, second)) {
            problems.push(twice(first, second));
        }
    }
}

/// Reports every request that no listener of the program answers, whether on this bus or not.
pub(super) fn none(registry: &Registry, problems: &mut Vec<Problem>) {
    let asks = |info: &&'static EventInfo| {
        info.reply().is_some() && info.unanswered() == Unanswered::Error
    };
    let requests: Vec<_> = (registry.events.iter())
        .map(|event| event.info)
        .filter(asks)
        .collect();
    if requests.is_empty() {
        return;
    }
    let mut answerers: Vec<_> = registry.registrations().collect();
    answerers.extend(registration::linked_methods());
    answerers.retain(|listener| listener.replies);
    for request in requests {
        if !answerers.iter().any(|listener| listener.is_of(request)) {
            problems.push(Problem::new(
                Code::Unanswered,
                format!(
                    "no listener of the program answers `{}`, declared as `{}`",
                    request.topic(),
                    request.type_name()
                ),
                Some(request.location()),
                "write one with `#[listener(reply)]`, link the crate that has it, or say `#[event(unanswered = \"ignore\")]`",
            ));
        }
    }
}

/// Whether both answer one event: of a generic type, one instantiation.
fn same_request(first: &Registration, second: &Registration) -> bool {
    match ((first.heard)(), (second.heard)()) {
        (Heard::One { type_id: a, .. }, Heard::One { type_id: b, .. }) => a() == b(),
        _ => false,
    }
}

fn twice(first: &Registration, second: &Registration) -> Problem {
    let topic = second.topics().join("`, `");
    Problem::new(
        Code::TwoReplies,
        format!(
            "two listeners answer `{topic}`: `{}` at {} and `{}` at {}",
            first.id, first.location, second.id, second.location
        ),
        Some(second.location),
        "take `reply` out of one of them, so that it only observes; or leave one out of this bus",
    )
}

impl Inner {
    /// That attached methods answer nothing that is answered already. The caller holds the writers' lock.
    pub(crate) fn check_answerers(&self, methods: &[ListenerInfo]) -> Result<(), BuildError> {
        let mut problems = Vec::new();
        let registrations = methods.iter().filter_map(ListenerInfo::registration);
        let answerers: Vec<_> = registrations.filter(|method| method.replies).collect();
        two(&answerers, &mut problems);
        for method in &answerers {
            let Heard::One { ops, .. } = (method.heard)() else {
                continue;
            };
            let first = self.with_cell(ops(), |cell| {
                let subs = cell.overlay.load();
                let attached = subs.iter().map(|sub| &sub.info);
                let mut all = cell.infos.iter().chain(attached);
                all.find(|info| info.replies())
                    .and_then(ListenerInfo::registration)
            });
            if let Some(first) = first.flatten() {
                problems.push(twice(&first, method));
            }
        }
        BuildError::check(problems)
    }
}
