//! The work that every listener of every contestant does.

use std::sync::atomic::{AtomicU64, Ordering};

static TOTALS: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];

/// Adds the amount of an event to the total of one listener.
///
/// A total per listener makes every listener a function of its own, since identical functions may be merged into one,
/// which a branch predictor guesses for free. It also keeps one listener from waiting for the store of the one before,
/// behind which the cost of a dispatch could hide. A load and a store rather than one atomic addition keep the work
/// small next to a call.
///
/// # Panics
///
/// When the listener is not below 16.
#[inline]
pub fn add(amount: u64, listener: usize) {
    let total = &TOTALS[listener];
    total.store(
        total.load(Ordering::Relaxed).wrapping_add(amount),
        Ordering::Relaxed,
    );
}

/// Returns what each listener has added so far.
pub fn totals() -> [u64; 16] {
    TOTALS.each_ref().map(|total| total.load(Ordering::Relaxed))
}
