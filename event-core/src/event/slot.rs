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
/// A bus's own table is of an unknown type, and to ask for the type costs as much as a call. A static knows it. So the first bus that has all
/// listeners of an event, and they are functions of the event and nothing else, leaves them here; every bus that has the same ones in
/// the same order runs them from here.
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

    /// Whether the functions that are here are these ones. With `leave` they are left here if there are none yet.
    pub(crate) fn keep(&self, functions: Vec<fn(&E)>, leave: bool) -> bool {
        if self.functions.get().is_none() && leave {
            return match self.functions.set(functions.into_boxed_slice()) {
                Ok(()) => true,
                // Another thread was quicker.
                Err(functions) => self.are(&functions),
            };
        }
        self.are(&functions)
    }

    /// Code that the compiler found to be the same may have one address; then it does not matter which is called.
    fn are(&self, functions: &[fn(&E)]) -> bool {
        let kept = self.functions().unwrap_or_default();
        let same = |at: usize| std::ptr::fn_addr_eq(kept[at], functions[at]);
        kept.len() == functions.len() && (0..kept.len()).all(same)
    }
}

impl<E> fmt::Debug for Slot<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.index.get())
    }
}

#[cfg(test)]
mod tests {
    use super::Slot;

    fn a(_: &u8) {
        println!("a");
    }

    fn b(_: &u8) {
        println!("b");
    }

    #[test]
    fn only_who_may_leaves_functions_and_only_the_same_ones_in_order_run_from_there() {
        let slot = Slot::<u8>::new();
        assert!(!slot.keep(vec![a], false));
        assert!(slot.functions().is_none());
        assert!(slot.keep(vec![a, b], true));
        assert!(slot.keep(vec![a, b], false));
        assert!(!slot.keep(vec![b, a], true));
        assert!(!slot.keep(vec![a], true));
        assert_eq!(slot.functions().map(<[_]>::len), Some(2));
    }
}
