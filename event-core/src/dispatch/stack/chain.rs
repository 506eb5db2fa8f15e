//! The emissions that a delivery stands on, kept beside it.

use super::{Entry, Stack};

/// The emissions that a delivery stands on, outermost first. Most stand on nothing but their own.
#[derive(Clone, Debug)]
pub(crate) enum Chain {
    One(Entry),
    Many(Vec<Entry>),
}

impl Chain {
    pub(crate) fn entries(&self) -> &[Entry] {
        match self {
            Chain::One(own) => std::slice::from_ref(own),
            Chain::Many(entries) => entries,
        }
    }

    /// The same emission, at another listener.
    pub(crate) fn at(&self, at: u64) -> Self {
        let mut chain = self.clone();
        let own = match &mut chain {
            Chain::One(own) => Some(own),
            Chain::Many(entries) => entries.last_mut(),
        };
        if let Some(own) = own {
            own.at = at;
        }
        chain
    }

    /// Its own emission alone.
    pub(crate) fn own(self) -> Self {
        match &self {
            Chain::Many(entries) => entries.last().copied().map_or(self, Chain::One),
            Chain::One(_) => self,
        }
    }
}

impl Stack {
    /// What stands on the stack, to be kept.
    pub(crate) fn kept_chain(&self) -> Chain {
        match self.len.get() {
            1 => Chain::One(self.entry(0)),
            _ => Chain::Many(self.chain()),
        }
    }

    /// Makes another listener the one that runs in the topmost emission.
    pub(crate) fn set_at(&self, at: u64) {
        self.at[self.len.get() - 1].set(at);
    }
}
