//! The event loop: one thread, one queue for callbacks, events and the steps of tasks, and timers that never fire early.
//!
//! `shared` is what other threads may hold, `core` the state, `turn` what a turn does, `run` how a run begins and ends; `schedule`, `spawn` and `sleep` put
//! something in.

mod background;
mod blocking;
mod builder;
mod calls;
mod cancel;
mod control;
mod core;
mod deadline;
mod driver;
mod error;
mod every;
mod failure;
mod fault;
mod handle;
mod hear;
mod join;
mod local;
mod main_task;
mod outcome;
#[cfg(feature = "signal")]
pub(crate) mod program;
mod promise;
mod remote;
mod run;
mod schedule;
mod scope;
mod shared;
mod shutdown;
#[cfg(feature = "signal")]
mod signal;
mod sleep;
mod spawn;
mod task_set;
mod tasks;
mod timers;
mod turn;
mod waiters;

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use self::core::Core;

pub use builder::EventLoopBuilder;
pub use cancel::{CancelReason, ScopeId};
pub use control::Cancelled;
pub use deadline::Deadline;
pub use error::{Fatal, LoopError};
#[doc(no_inline)]
pub use event_core::{Elapsed, Missed};
pub use failure::{LoopFailure, LoopItem};
pub use fault::ScopeError;
pub use handle::{Handle, ScopedHandle};
pub use hear::LoopSubscription;
pub use join::{JoinError, JoinHandle};
pub use local::Entered;
pub use outcome::{CallResult, TaskResult};
pub use promise::{AlreadyDone, Promise, PromiseError, PromiseFuture, SharedPromise};
pub use remote::Remote;
pub use run::{Turn, Unfinished};
pub use scope::TaskScope;
pub use shutdown::run;
#[cfg(feature = "signal")]
pub use signal::{Signal, SignalReceived};
pub use sleep::Sleep;
pub use task_set::TaskSet;
pub use waiters::DoneCallback;

/// An event loop: it calls what is ready, in the order in which it became so, and waits when nothing is.
///
/// Callbacks, events for later and the steps of tasks share one queue. What an item puts into it waits for the next turn, and between turns the loop looks
/// for I/O, for other threads and for timers. It belongs to the thread that made it, so nothing in it has to be `Send`; a [`Remote`] is for the others.
///
/// A clone is a handle of the same loop. The loop is closed when the one that a constructor gave is dropped; then its handles have nothing but
/// [`LoopError::Closed`] to say. If tasks are left then, the [`on_failure`](Self::on_failure) hook is told.
///
/// ```
/// use std::time::Duration;
/// use tidings::EventLoop;
///
/// let lp = EventLoop::new()?;
/// lp.call_later(Duration::from_millis(2), |lp| lp.stop())?;
/// lp.call_soon(|_| println!("first"))?;
/// lp.run_forever()?;
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
///
/// It stays on its thread:
///
/// ```compile_fail
/// let lp = tidings::event_loop::EventLoop::virtual_time();
/// std::thread::spawn(move || lp.stop());
/// ```
pub struct EventLoop {
    core: Rc<Core>,
    /// Its drop closes the loop.
    is_owner: bool,
}

impl EventLoop {
    /// A loop on the real clock. With the feature `tokio` it has tokio's reactor, so its tasks may use tokio's sockets, timers and signals.
    ///
    /// # Errors
    ///
    /// [`InsideRuntime`](LoopError::InsideRuntime) on a thread that runs tasks of a tokio runtime, [`Driver`](LoopError::Driver) if the operating
    /// system refuses.
    #[track_caller]
    pub fn new() -> Result<Self, LoopError> {
        Self::builder().build()
    }

    /// A loop on a clock of its own, which goes on at once to the next timer when nothing is ready: an hour takes no time, and every run is the same.
    ///
    /// As the [runtime](Remote) of a bus it runs async listeners. The queues and ticks of plain functions are on real threads then, for which its clock does
    /// not wait; a [`VirtualRuntime`](crate::VirtualRuntime) runs those too, and is the one for tests of a bus.
    #[track_caller]
    pub fn virtual_time() -> Self {
        Self::builder().build_virtual()
    }

    fn owner(core: Rc<Core>) -> Self {
        local::add(&core);
        Self {
            core,
            is_owner: true,
        }
    }

    fn handle_of(core: Rc<Core>) -> Self {
        Self {
            core,
            is_owner: false,
        }
    }

    /// The loop that runs on this thread, else the one that was [entered](Self::enter) last. None is made.
    pub fn current() -> Option<Self> {
        local::current().map(Self::handle_of)
    }

    /// Makes this the [current](Self::current) loop of the thread, for as long as the guard lives and no other runs.
    pub fn enter(&self) -> Entered {
        local::enter(&self.core)
    }

    /// The time on the loop's clock. It never goes back, and goes on inside a callback.
    pub fn time(&self) -> Instant {
        self.core.shared.now()
    }

    /// The time of this turn, the same for all its items: when its timers were looked at or, without any, when this was first asked for. It costs
    /// next to nothing to read.
    pub fn turn_time(&self) -> Instant {
        let (turn, shared) = (&self.core.turn_time, &self.core.shared);
        let time = turn.get().unwrap_or_else(|| shared.now_in_nanos());
        turn.set(Some(time));
        shared.time(time)
    }

    /// The time since the loop was made, on its clock.
    pub fn elapsed(&self) -> Duration {
        self.time()
            .saturating_duration_since(self.core.shared.start())
    }

    /// How many timers wait.
    pub fn timer_count(&self) -> usize {
        self.core.timers.borrow().len()
    }

    /// How many places the timers take, with those that were cancelled and not yet removed.
    #[doc(hidden)]
    pub fn timer_places(&self) -> usize {
        self.core.timers.borrow().places()
    }

    /// How many items ran for longer than the builder's [`slow_items`](EventLoopBuilder::slow_items) allows.
    pub fn slow_count(&self) -> u64 {
        self.core.slow_items.get()
    }

    /// Has `f` told of every item that fails, in the place of the default: a `tracing` error event, or a line on stderr.
    ///
    /// A failure inside the hook is told by the default, and so is the one that it was told.
    pub fn on_failure(&self, f: impl Fn(&LoopFailure) + 'static) {
        self.set_hook(Some(Rc::new(f)));
    }

    /// Has failures told by the default again.
    pub fn default_on_failure(&self) {
        self.set_hook(None);
    }

    /// Tells of tasks that were dropped with the loop.
    fn tell_dropped(&self, count: usize) {
        if count > 0 {
            let tasks = if count == 1 { "task" } else { "tasks" };
            let message = format!(
                "{count} {tasks} dropped with it, of which each connection and each server has one; await them or ask them to end first"
            );
            let place = self.core.settings.place;
            let failure = LoopFailure::said(LoopItem::Loop, place, false, message);
            self.core.tell(&failure);
        }
    }

    fn set_hook(&self, hook: Option<failure::Hook>) {
        let before = self.core.hook.replace(hook);
        crate::queue::quiet::drop_quietly(before);
    }
}

impl Clone for EventLoop {
    fn clone(&self) -> Self {
        self.core.handle()
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        if !self.is_owner {
            return;
        }
        let was_closed = self.core.closed.get();
        let left = self.core.close();
        if !was_closed {
            self.tell_dropped(left.tasks);
        }
        local::remove(self.core.shared.id);
        // What the hooks captured may hold a handle of the loop.
        self.set_hook(None);
        crate::queue::quiet::drop_quietly(self.core.spawn_hook.take());
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("is_running", &self.is_running())
            .field("is_closed", &self.is_closed())
            .field("tasks", &self.task_count())
            .field("timers", &self.timer_count())
            .finish_non_exhaustive()
    }
}
