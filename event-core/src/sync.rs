//! The primitives of what threads share, so that the loom model (`--cfg tidings_loom`) checks the same code that runs.

#[cfg(tidings_loom)]
pub(crate) use loom::sync::{Arc, Mutex, MutexGuard, atomic};
#[cfg(not(tidings_loom))]
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, atomic};

/// Locks, also after a panic elsewhere: no user code runs under our locks, so what they guard is whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Wakes tasks. A waker that panics is its executor's mistake, and keeps nothing from the others.
pub(crate) fn wake(wakers: impl IntoIterator<Item = std::task::Waker>) {
    for waker in wakers {
        let wake = std::panic::AssertUnwindSafe(|| waker.wake());
        if let Err(panic) = std::panic::catch_unwind(wake) {
            // What it carries may panic as well, when it is dropped.
            std::mem::forget(panic);
        }
    }
}

/// Locks for reading, also after a panic elsewhere.
#[cfg(not(tidings_loom))]
pub(crate) fn read<T>(lock: &std::sync::RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Locks for writing, also after a panic elsewhere.
#[cfg(not(tidings_loom))]
pub(crate) fn write<T>(lock: &std::sync::RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A value that is replaced as a whole while others read the one before.
#[cfg(not(tidings_loom))]
pub(crate) struct Swap<T>(arc_swap::ArcSwap<T>);

#[cfg(not(tidings_loom))]
impl<T> Swap<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(arc_swap::ArcSwap::from_pointee(value))
    }

    pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<T>> + use<T> {
        self.0.load()
    }

    pub(crate) fn replace(&self, value: T) -> Arc<T> {
        self.0.swap(Arc::new(value))
    }
}

/// Stands in for `arc-swap`, which loom cannot look into: the same operations, each atomic.
#[cfg(tidings_loom)]
pub(crate) struct Swap<T>(Mutex<Arc<T>>);

#[cfg(tidings_loom)]
impl<T> Swap<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Arc::new(value)))
    }

    pub(crate) fn load(&self) -> Box<Arc<T>> {
        Box::new(Arc::clone(&lock(&self.0)))
    }

    pub(crate) fn replace(&self, value: T) -> Arc<T> {
        std::mem::replace(&mut lock(&self.0), Arc::new(value))
    }
}
