//! The end of the thread that runs a runtime's tasks.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use super::world::World;

thread_local! {
    static WORLDS: Worlds = const { Worlds(RefCell::new(Vec::new())) };
}

/// The runtimes that are at home on a thread.
struct Worlds(RefCell<Vec<Weak<World>>>);

impl Drop for Worlds {
    fn drop(&mut self) {
        // A bus keeps its runtime and a task its bus, so the tasks that are left may be all that keeps them.
        for world in self.0.take() {
            if let Some(world) = world.upgrade() {
                world.end();
            }
        }
    }
}

/// Has the tasks dropped when this thread ends, since nobody can run them then.
pub(super) fn settle(world: &Arc<World>) {
    let settled = WORLDS.try_with(|worlds| {
        let mut worlds = worlds.0.borrow_mut();
        worlds.retain(|world| world.strong_count() > 0);
        worlds.push(Arc::downgrade(world));
    });
    if settled.is_err() {
        // The thread is about to end.
        world.end();
    }
}
