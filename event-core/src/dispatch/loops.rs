//! The loops over inline listeners: what an emission costs.

use crate::dispatch::context::Delivery;
use crate::dispatch::table::{Run, SyncFn};
use crate::event::Event;
use crate::listener::returns::Step;

/// How the first loop ended.
pub(super) enum Halt {
    /// At the end of the table.
    End,
    /// Behind a listener whose step is not plain.
    After(Step),
}

/// The simplest case: every listener is a function of the event and nothing else.
#[inline]
pub(super) fn run_plain<E: Event>(
    functions: &[fn(&E)],
    event: &E,
    position: &std::cell::Cell<u64>,
) {
    for (at, function) in functions.iter().enumerate() {
        position.set(at as u64);
        function(event);
    }
}

/// The usual case: no step but `Done` and `Skipped`.
#[inline]
pub(super) fn run_bound<E: Event>(
    list: &[SyncFn<E>],
    event: &E,
    delivery: &Delivery<'_>,
    skipped: &std::cell::Cell<u32>,
) -> Halt {
    let position = delivery.frame.position();
    for (at, listener) in list.iter().enumerate() {
        position.set(at as u64);
        let step = listener(event, delivery);
        if let Step::Done = step {
            // It holds nothing; forgotten, it keeps the loop free of the other steps' drop.
            std::mem::forget(step);
            continue;
        }
        unusual();
        if !matches!(step, Step::Skipped) {
            return Halt::After(step);
        }
        skipped.set(skipped.get() + 1);
    }
    Halt::End
}

/// The same among functions of nothing but the event. The look at the step stands twice: in a function of its own it costs each listener five
/// instructions more.
#[inline]
pub(super) fn run_mixed<E: Event>(
    list: &[Run<E>],
    event: &E,
    delivery: &Delivery<'_>,
    skipped: &std::cell::Cell<u32>,
) -> Halt {
    let position = delivery.frame.position();
    for (at, run) in list.iter().enumerate() {
        position.set(at as u64);
        match run {
            Run::Plain(f) => f(event),
            Run::Bound(f) => {
                let step = f(event, delivery);
                if let Step::Done = step {
                    // It holds nothing; forgotten, it keeps the loop free of the other steps' drop.
                    std::mem::forget(step);
                    continue;
                }
                unusual();
                if !matches!(step, Step::Skipped) {
                    return Halt::After(step);
                }
                skipped.set(skipped.get() + 1);
            }
            Run::Async(..) | Run::Queue(_) => {
                unreachable!("an event with such a listener runs in the full mode")
            }
        }
    }
    Halt::End
}

/// Has the compiler test for the usual case first.
#[cold]
fn unusual() {}
