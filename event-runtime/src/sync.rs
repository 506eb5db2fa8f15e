//! The primitives of what threads share, so that the loom models (`--cfg tidings_loom`) check the same code that runs.

#[cfg(tidings_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(tidings_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

/// Locks, also after a panic elsewhere: no user code runs under our locks, so what they guard is whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
