//! What the builder was told to change of its listeners' policies.

use crate::build::error::{Code, Problem};
use crate::listener::policy::Policy;
use crate::listener::{FnKey, Mode};
use crate::registration::{Registration, linked_method};
use crate::registry::Registry;

type Change = Box<dyn Fn(Policy) -> Policy + Send + Sync>;

/// All changes, in the order in which they were asked for.
#[derive(Default)]
pub(crate) struct Tunes(Vec<(Vec<FnKey>, Change)>);

impl Tunes {
    pub(crate) fn add(
        &mut self,
        keys: Vec<FnKey>,
        change: impl Fn(Policy) -> Policy + Send + Sync + 'static,
    ) {
        self.0.push((keys, Box::new(change)));
    }

    /// The listener's policy on this bus.
    pub(crate) fn apply(&self, listener: &Registration, problems: &mut Vec<Problem>) -> Policy {
        let mine = |keys: &[FnKey]| keys.iter().any(|key| key.id() == (listener.key)());
        let changes = self.0.iter().filter(|(keys, _)| mine(keys));
        let tuned = changes.fold(listener.policy, |policy, (_, change)| change(policy));
        // As a whole: one change may correct another.
        let mistakes = tuned.mistakes(&listener.policy).into_iter();
        problems.extend(mistakes.map(|(mistake, help)| {
            let message = format!("`{}` is tuned {mistake}", listener.id);
            Problem::new(Code::InvalidPolicy, message, Some(listener.location), help)
        }));
        tuned
    }

    /// Only what outlives its emission can be carried in one way or another.
    pub(crate) fn check(&self, registry: &Registry, problems: &mut Vec<Problem>) {
        for key in self.0.iter().flat_map(|(keys, _)| keys) {
            let listener = match registry.by_key(key.id()) {
                Some(index) => Some(registry.registration(index)),
                None => linked_method(key.id()),
            };
            let Some(listener) = listener else {
                problems.push(Problem::new(
                    Code::NotAListener,
                    format!("`{}` is tuned, but it is not a listener", key.name()),
                    None,
                    "put `#[listener]` on that function, or take it out of `tune`",
                ));
                continue;
            };
            if listener.mode() == Mode::Inline {
                problems.push(Problem::new(
                    Code::NotTunable,
                    format!(
                        "`{}` is tuned, but it runs inside `emit`: there is nothing to tune",
                        listener.id
                    ),
                    Some(listener.location),
                    "make it an `async fn`, give it a `queue`, or take it out of `tune`",
                ));
            }
        }
    }
}

impl std::fmt::Debug for Tunes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tunes({})", self.0.len())
    }
}
