//! Handles of what was scheduled.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use event_core::private::after;

use crate::queue::quiet::drop_quietly;

use super::calls::CallKey;
use super::core::Core;

/// A callback that was scheduled. Dropping the handle does not take it back; see [`scoped`](Self::scoped).
///
/// It belongs to the thread of its loop.
///
/// ```
/// use std::time::Duration;
/// use tidings::EventLoop;
///
/// let lp = EventLoop::virtual_time();
/// let alarm = lp.call_later(Duration::from_secs(60), |_| println!("wake up"))?;
/// assert_eq!(alarm.when(), Some(lp.time() + Duration::from_secs(60)));
/// assert!(alarm.cancel());
/// assert!(!alarm.cancel());
/// lp.run_until_idle()?;
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
pub struct Handle {
    core: Weak<Core>,
    key: CallKey,
    when: Cell<Option<Instant>>,
}

impl Handle {
    pub(super) fn new(core: &Rc<Core>, key: CallKey, when: Option<Instant>) -> Self {
        Self {
            core: Rc::downgrade(core),
            key,
            when: Cell::new(when),
        }
    }

    /// When it is due, or was; `None` for what was to be called at once. Of a periodic callback the first time, or the one that it was last
    /// [reset](Self::reset) to.
    pub fn when(&self) -> Option<Instant> {
        self.when.get()
    }

    /// Takes it back: it is not called any more, also if its turn has begun, and what it captured is dropped now. Whether there was something to
    /// take back.
    pub fn cancel(&self) -> bool {
        let call = self.core.upgrade().and_then(|core| core.cancel(self.key));
        let was_there = call.is_some();
        drop_quietly(call);
        was_there
    }

    /// Has it called `delay` from now instead, as if it were scheduled now. `false` if it is no timer, was taken back, or its time has come. For a periodic
    /// callback that never is too late: it goes on counting from there, also inside its own call.
    pub fn reset(&self, delay: Duration) -> bool {
        let Some(core) = self.core.upgrade() else {
            return false;
        };
        self.reset_at(after(core.shared.now(), delay))
    }

    /// Has it called at `at` instead, as if it were scheduled now. `false` if it is no timer, was taken back, or its time has come and it is not periodic.
    pub fn reset_at(&self, at: Instant) -> bool {
        let core = self.core.upgrade();
        let was_set = core.is_some_and(|core| core.reset(self.key, at));
        if was_set {
            self.when.set(Some(at));
        }
        was_set
    }

    /// Whether it is still to be called.
    pub fn is_pending(&self) -> bool {
        let core = self.core.upgrade();
        core.is_some_and(|core| core.calls.borrow().contains(self.key))
    }

    /// Takes it back when the handle is dropped.
    pub fn scoped(self) -> ScopedHandle {
        ScopedHandle(self)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("when", &self.when.get())
            .field("is_pending", &self.is_pending())
            .finish_non_exhaustive()
    }
}

/// A [`Handle`] that takes its callback back when it is dropped.
#[derive(Debug)]
#[must_use = "the callback is taken back when this is dropped"]
pub struct ScopedHandle(Handle);

impl std::ops::Deref for ScopedHandle {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.0
    }
}

impl Drop for ScopedHandle {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
