//! Conditions: judged with the call, before it, or not again.

use super::{Stack, with};
use crate::listener::returns::Step;

/// What is done with a listener that has a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judging {
    AndCall,
    /// The condition is judged, and the listener not called.
    Only,
    /// The listener is called, since the condition was judged before.
    Done,
}

/// Dropped only when the condition panics.
struct Unjudged<'s>(&'s Stack);

impl Drop for Unjudged<'_> {
    fn drop(&mut self) {
        self.0.condition.set(self.0.len.get());
    }
}

/// Evaluates a listener's condition, so that a panic in it is told from one in the listener.
#[doc(hidden)]
#[inline]
pub fn check(condition: impl FnOnce() -> bool) -> bool {
    with(|stack| {
        // Before it is judged: a condition may emit.
        let judging = stack.judging.replace(Judging::AndCall);
        if judging == Judging::Done {
            return true;
        }
        let unjudged = Unjudged(stack);
        let said = condition();
        std::mem::forget(unjudged);
        if judging == Judging::Only {
            stack.wanted.set(said);
            return false;
        }
        said
    })
}

/// Calls a listener that has a condition only so far that the condition is judged; whether it holds.
pub(crate) fn only_condition(call: impl FnOnce() -> Step) -> (Step, bool) {
    with(|stack| {
        stack.wanted.set(false);
        stack.judging.set(Judging::Only);
        let step = call();
        // An instance that is gone has nothing to judge.
        stack.judging.set(Judging::AndCall);
        (step, stack.wanted.replace(false))
    })
}

/// Calls a listener whose condition was judged.
pub(crate) fn without_condition(call: impl FnOnce() -> Step) -> Step {
    with(|stack| {
        stack.judging.set(Judging::Done);
        let step = call();
        stack.judging.set(Judging::AndCall);
        step
    })
}
