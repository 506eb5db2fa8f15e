//! The static that every event declaration has: what all buses know of it, with its type.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the tables of every bus keep an event: a dense index, given when the registry is first read.
#[derive(Debug)]
pub(crate) struct Index(AtomicU32);

impl Index {
    /// Out of every table's range until assigned.
    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn is_assigned(&self) -> bool {
        self.get() != u32::MAX as usize
    }

    pub(crate) fn assign(&self, index: u32) {
        self.0.store(index, Ordering::Relaxed);
    }
}

type Functions<E> = Box<[fn(&E)]>;

/// An event's index, and its listeners as bare functions.
///
/// A bus's own table is of an unknown type, and to ask for the type costs as much as a call. A static knows it. So the first bus on which all
/// listeners of an event are functions of the event and nothing else leaves them here, and every bus that has the same ones in the
/// same order runs them from here.
#[doc(hidden)]
pub struct Slot<E> {
    index: Index,
    functions: OnceLock<Functions<E>>,
}

impl<E> Slot<E> {
    #[expect(
        clippy::new_without_default,
        reason = "only generated statics make one"
    )]
    pub const fn new() -> Self {
        Self {
            index: Index(AtomicU32::new(u32::MAX)),
            functions: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// The functions that were left here.
    #[inline]
    pub(crate) fn functions(&self) -> Option<&[fn(&E)]> {
        self.functions.get().map(|functions| &**functions)
    }

    /// Leaves functions here, if there are none yet; whether those that are here are the same.
    pub(crate) fn keep(&self, functions: Vec<fn(&E)>) -> bool {
        let mut given = Some(functions);
        let kept = self
            .functions
            .get_or_init(|| given.take().unwrap_or_default().into_boxed_slice());
        // Code that the compiler found to be the same may have one address; then it does not matter which is called.
        given.is_none_or(|given| {
            given.len() == kept.len()
                && given
                    .iter()
                    .zip(kept)
                    .all(|(a, b)| std::ptr::fn_addr_eq(*a, *b))
        })
    }
}

impl<E> fmt::Debug for Slot<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.index.get())
    }
}
