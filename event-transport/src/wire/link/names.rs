//! What the queues of links are called, so that those of different sessions can be told apart.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use event_core::Bus;
use event_core::private::outlet;

use super::end::lock;

/// The names that the links of one bus have.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<String, Numbers>>);

/// The numbers of those with one name.
#[derive(Debug, Default)]
struct Numbers {
    /// The highest that was given.
    last: usize,
    /// Those up to there that nobody has.
    free: BTreeSet<usize>,
}

impl Names {
    pub(super) fn of(bus: &Bus) -> Arc<Self> {
        outlet::shared(bus, Self::default)
    }

    /// A name that no other link of the bus has.
    pub(super) fn take(self: Arc<Self>, base: String) -> Name {
        let mut names = lock(&self.0);
        let numbers = names.entry(base.clone()).or_default();
        let number = numbers.free.pop_first().unwrap_or_else(|| {
            numbers.last += 1;
            numbers.last
        });
        drop(names);
        Name {
            names: self,
            base,
            number,
        }
    }
}

/// One name, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Name {
    names: Arc<Names>,
    base: String,
    number: usize,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)?;
        match self.number {
            1 => Ok(()),
            number => write!(f, "#{number}"),
        }
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut names = lock(&self.names.0);
        if let Some(numbers) = names.get_mut(&self.base) {
            numbers.free.insert(self.number);
            if numbers.free.len() == numbers.last {
                names.remove(&self.base);
            }
        }
    }
}
