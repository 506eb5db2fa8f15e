//! Where async deliveries go that nobody awaits.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::bus::Inner;
use crate::delivery::park;
use crate::delivery::timer;
use crate::dispatch::failure::{drop_guarded, panic_message};

/// One async delivery, or the wait for a point in time: never panics, gives nothing. A delivery reports itself if it is dropped unfinished.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs the tasks of a bus, and tells it the time.
///
/// With the feature `tokio` a `tokio::runtime::Handle` is one.
///
/// ```standalone_crate
/// use tidings::{Bus, Runtime, Task, event, listener};
///
/// /// A thread for every delivery.
/// struct Threads;
///
/// impl Runtime for Threads {
///     fn spawn(&self, task: Task) {
///         std::thread::spawn(|| futures::executor::block_on(task));
///     }
/// }
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// async fn confirm(_: &Placed) {}
///
/// let bus = Bus::builder().runtime(Threads).build()?;
/// assert_eq!(bus.emit(Placed).report().queued(), 1);
/// # Ok::<(), tidings::BuildError>(())
/// ```
pub trait Runtime: Send + Sync + 'static {
    /// Runs a task to its end. A task that cannot be run is dropped; the delivery is then reported as abandoned.
    fn spawn(&self, task: Task);

    /// The time on the runtime's clock. A virtual clock starts at some real point in time and goes on by itself.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// A future that ends at `at` on the runtime's clock, never before. By default a thread of this process wakes it, on the real clock.
    fn sleep_until(&self, at: Instant) -> Task {
        Box::pin(timer::sleep_until(at))
    }

    /// Whether this thread runs the runtime's tasks, so that nothing may park it.
    ///
    /// tokio's handle says so on every thread that has a runtime at hand: also on one of `spawn_blocking`, and where `Runtime::enter` was called. tokio does
    /// not tell these from its workers, and a worker that is parked may wait for itself. What the bus refuses there can be waited for with
    /// `Handle::block_on`:
    ///
    /// ```standalone_crate
    /// # #[cfg(feature = "tokio")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use tidings::Bus;
    /// use tokio::runtime::{Builder, Handle};
    ///
    /// let runtime = Builder::new_current_thread().enable_time().build()?;
    /// let bus = Bus::builder().runtime(runtime.handle().clone()).build()?;
    /// let deadline = Duration::from_secs(5);
    /// let shutdown = runtime.spawn_blocking(move || {
    ///     assert!(bus.shutdown_blocking(deadline).is_err());
    ///     Handle::current().block_on(bus.shutdown(deadline))
    /// });
    /// assert!(runtime.block_on(shutdown)??.is_clean());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "tokio"))]
    /// # fn main() {}
    /// ```
    fn is_current(&self) -> bool {
        false
    }

    // The rest is for a runtime whose tasks run only when somebody drives it. Hidden, since what such a one needs will become clear with the second.

    /// The handle that a bus keeps.
    #[doc(hidden)]
    fn lend(self) -> Arc<dyn Runtime>
    where
        Self: Sized,
    {
        Arc::new(self)
    }

    /// Called by a future that waits for the runtime's tasks, so that they go on under any executor. `who` tells it from other futures.
    #[doc(hidden)]
    fn help(&self, who: usize, cx: &mut Context<'_>) {
        let _ = (who, cx);
    }

    /// Waits for a future on this thread, at most for `time`; whether it ended. The thread is none that runs tasks just now.
    #[doc(hidden)]
    fn park(&self, future: Pin<&mut dyn Future<Output = ()>>, time: Option<Duration>) -> bool {
        park::park(future, time)
    }

    /// Whether the workers of all queues shall be its tasks, with a turn for each item.
    #[doc(hidden)]
    fn runs_queues(&self) -> bool {
        false
    }
}

/// The point in time that is `time` after `now`, or one as far away as an `Instant` can tell.
pub fn after(now: Instant, time: Duration) -> Instant {
    let shorter = std::iter::successors(Some(time), |time| Some(*time / 2));
    let mut reachable = shorter.filter_map(|time| now.checked_add(time));
    reachable.next().unwrap_or(now)
}

/// Ends at `at` on the real clock, never before, whatever becomes of any runtime.
pub fn sleep_on_real_clock(at: Instant) -> Task {
    Box::pin(timer::sleep_until(at))
}

/// The runtime's own sleep, also where its timer panics, as tokio's does once the runtime is shut down: then the real clock ends it.
pub fn sleep_steadily(runtime: &Arc<dyn Runtime>, at: Instant) -> Task {
    let runtime = Arc::clone(runtime);
    Box::pin(async move {
        let mut sleep = None;
        let slept = poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let sleep = sleep.get_or_insert_with(|| runtime.sleep_until(at));
                sleep.as_mut().poll(cx)
            }));
            match polled {
                Ok(polled) => polled.map(|()| true),
                Err(panic) => {
                    drop(panic_message(panic));
                    Poll::Ready(false)
                }
            }
        });
        if !slept.await {
            // It has panicked before.
            let _ = drop_guarded(sleep.take());
            let left = at.saturating_duration_since(runtime.now());
            timer::sleep_until(after(Instant::now(), left)).await;
        }
    })
}

impl Inner {
    /// Waits on this thread, at most for `time`; whether the future ended.
    pub(crate) fn park(&self, future: impl Future<Output = ()>, time: Option<Duration>) -> bool {
        let future = std::pin::pin!(future);
        match self.runtime() {
            Some(runtime) => runtime.park(future, time),
            None => park::park(future, time),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.runtime().map_or_else(Instant::now, Runtime::now)
    }

    /// Ends at `at`, whatever becomes of the runtime.
    pub(crate) fn sleep_steadily(&self, at: Instant) -> Task {
        match self.shared_runtime() {
            Some(runtime) => sleep_steadily(runtime, at),
            None => Box::pin(timer::sleep_until(at)),
        }
    }

    pub(crate) fn sleep_until(self: &Arc<Self>, at: Instant) -> Task {
        match self.runtime() {
            Some(runtime) => runtime.sleep_until(at),
            None => Box::pin(timer::sleep_until(at)),
        }
    }
}

#[cfg(feature = "tokio")]
impl Runtime for tokio::runtime::Handle {
    fn spawn(&self, task: Task) {
        // The task's end is told by the delivery itself, so its handle has nothing to add.
        drop(tokio::runtime::Handle::spawn(self, task));
    }

    /// Follows tokio's own clock, also where that is paused for a test.
    fn now(&self) -> Instant {
        let _entered = self.enter();
        tokio::time::Instant::now().into_std()
    }

    fn sleep_until(&self, at: Instant) -> Task {
        // The timer belongs to the runtime that is entered when it is made, and one without timers panics then: the task says so as a failure.
        let handle = self.clone();
        Box::pin(async move {
            let sleep = {
                let _entered = handle.enter();
                tokio::time::sleep_until(at.into())
            };
            sleep.await;
        })
    }

    fn is_current(&self) -> bool {
        // Nothing public tells a worker from a thread of `spawn_blocking`: both have a task's id and a handle.
        tokio::runtime::Handle::try_current().is_ok()
    }
}
