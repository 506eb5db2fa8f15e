//! The process's one place for an installed bus, or for the default one.

use crate::sync::{Arc, Mutex, Swap, lock};

/// Free, taken by an installed value, or in use by the default: decided under a lock, read without.
pub(crate) struct Place<T> {
    holder: Mutex<Holder>,
    installed: Swap<Option<Arc<T>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Nobody,
    Installed,
    Default,
}

/// Why a value cannot be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    AlreadyInstalled,
    AlreadyInUse,
}

impl<T> Place<T> {
    pub(crate) fn new() -> Self {
        Self {
            holder: Mutex::new(Holder::Nobody),
            installed: Swap::new(None),
        }
    }

    pub(crate) fn install(&self, value: Arc<T>) -> Result<(), Refused> {
        let mut holder = lock(&self.holder);
        match *holder {
            Holder::Installed => Err(Refused::AlreadyInstalled),
            Holder::Default => Err(Refused::AlreadyInUse),
            Holder::Nobody => {
                *holder = Holder::Installed;
                drop(self.installed.replace(Some(value)));
                Ok(())
            }
        }
    }

    /// Frees the place; what was there is the caller's to drop, outside of the lock.
    pub(crate) fn uninstall(&self) -> Arc<Option<Arc<T>>> {
        let mut holder = lock(&self.holder);
        *holder = Holder::Nobody;
        self.installed.replace(None)
    }

    pub(crate) fn installed(&self) -> impl std::ops::Deref<Target = Arc<Option<Arc<T>>>> + use<T> {
        self.installed.load()
    }

    /// Takes the place for the default, unless a value was installed meanwhile: then that one.
    pub(crate) fn claim_default(&self) -> Option<Arc<T>> {
        let mut holder = lock(&self.holder);
        match *holder {
            Holder::Installed => Option::clone(&self.installed()),
            Holder::Nobody | Holder::Default => {
                *holder = Holder::Default;
                None
            }
        }
    }
}
