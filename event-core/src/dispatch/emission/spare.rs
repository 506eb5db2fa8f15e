//! What is left of emissions that were awaited to the end, for the next one of the same event on this thread: it allocates nothing anew.

use std::cell::RefCell;

use super::Rest;
use crate::event::EventOps;

/// How many of them each thread keeps.
const KEPT: usize = 8;

/// For how many deliveries one has places.
const PLACES: usize = 64;

struct Spare {
    kept: [Option<(&'static EventOps, Box<Rest>)>; KEPT],
    /// Which one goes for the next that finds no room.
    oldest: usize,
}

thread_local! {
    static SPARE: RefCell<Spare> = const {
        RefCell::new(Spare {
            kept: [const { None }; KEPT],
            oldest: 0,
        })
    };
}

/// What an emission of this event has beside its counts.
pub(super) fn take(ops: &'static EventOps) -> Box<Rest> {
    let find = |spare: &RefCell<Spare>| {
        let mut spare = spare.try_borrow_mut().ok()?;
        let of_event = |kept: &&mut Option<_>| {
            let kept: &Option<(&'static EventOps, Box<Rest>)> = kept;
            (kept.as_ref()).is_some_and(|(known, _)| std::ptr::eq(*known, ops))
        };
        spare.kept.iter_mut().find(of_event)?.take()
    };
    // A thread that ends keeps nothing any more.
    let found = SPARE.try_with(find).ok().flatten();
    let mut rest = found.map(|(_, rest)| rest).unwrap_or_default();
    rest.ops = Some(ops);
    rest
}

/// Keeps the boxes of an emission that has given its report.
pub(super) fn give(mut rest: Box<Rest>) {
    let Some(ops) = rest.ops else { return };
    // What ends with them is the user's: not while the list is borrowed.
    rest.batch.empty();
    rest.batch.keep_at_most(PLACES);
    let mut rest = Some((ops, rest));
    let keep = |spare: &RefCell<Spare>| {
        let mut spare = spare.try_borrow_mut().ok()?;
        if let Some(free) = spare.kept.iter_mut().find(|kept| kept.is_none()) {
            *free = rest.take();
            return None;
        }
        let oldest = spare.oldest;
        spare.oldest = (oldest + 1) % KEPT;
        std::mem::replace(&mut spare.kept[oldest], rest.take())
    };
    // What had to make room ends here, and not while the list is borrowed.
    drop(SPARE.try_with(keep).ok().flatten());
}
