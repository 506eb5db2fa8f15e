//! Threads whose emissions must not reach the default bus: those of tests.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Mutex, Weak};

use crate::sync::lock;

/// The emissions that would have gone to the default bus, with their topics and places.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Escapes(Mutex<Vec<Escape>>);

type Escape = (&'static str, &'static Location<'static>);

thread_local! {
    static WATCHING: RefCell<Vec<Weak<Escapes>>> = const { RefCell::new(Vec::new()) };
}

impl Escapes {
    /// Keeps this thread from the default bus for as long as the value lives.
    pub fn watch() -> Arc<Self> {
        let escapes = Arc::new(Self::default());
        let keep = |watching: &RefCell<Vec<Weak<Escapes>>>| {
            let mut watching = watching.borrow_mut();
            watching.retain(|other| other.strong_count() > 0);
            watching.push(Arc::downgrade(&escapes));
        };
        // A thread that ends keeps no list any more: what its other destructors emit is not caught.
        let _ = WATCHING.try_with(keep);
        escapes
    }

    /// What has escaped so far; it is told once.
    pub fn take(&self) -> Vec<Escape> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// Notes an emission where somebody watches; whether somebody does.
pub(crate) fn caught(topic: &'static str, location: &'static Location<'static>) -> bool {
    let find = |watching: &RefCell<Vec<Weak<Escapes>>>| {
        watching.borrow().iter().rev().find_map(Weak::upgrade)
    };
    // Destructors of a thread that ends may emit after the list is gone.
    let watcher = WATCHING.try_with(find).ok().flatten();
    if let Some(escapes) = &watcher {
        lock(&escapes.0).push((topic, location));
    }
    watcher.is_some()
}
