//! A wait in virtual time.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use super::world::World;

/// Ends at `at`. Without its runtime it never does: nobody moves the clock.
pub(super) struct Sleep {
    at: Instant,
    number: Option<u64>,
    // Tasks sleep, and the runtime keeps the tasks.
    world: Weak<World>,
}

impl Sleep {
    pub(super) fn new(world: &Arc<World>, at: Instant) -> Self {
        Self {
            at,
            number: None,
            world: Arc::downgrade(world),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(world) = self.world.upgrade() else {
            return Poll::Pending;
        };
        if world.now() >= self.at {
            return Poll::Ready(());
        }
        let number = world.set_timer(self.at, self.number, cx.waker().clone());
        self.number = Some(number);
        // Under another executor nobody else goes on with the clock.
        world.help(std::ptr::from_ref(&*self).addr(), cx);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((world, number)) = self.world.upgrade().zip(self.number) {
            world.unset_timer(self.at, number);
        }
    }
}
