//! Waits for a time.

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Cx, Poll};
use std::time::Duration;

use crate::bus::{Bus, Inner};
use crate::dispatch::context::Context;
use crate::runtime::{Runtime, Task, after};

/// The time that was given to something has passed: see [`Bus::timeout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
}

impl Elapsed {
    #[doc(hidden)]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// The time that was given.
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it took longer than {:?}", self.limit)
    }
}

impl Error for Elapsed {}

/// Any thread may wait with it.
struct Wait {
    runtime: Option<Arc<dyn Runtime>>,
    wait: Task,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<()> {
        let who = std::ptr::from_ref(&*self).addr();
        let polled = self.wait.as_mut().poll(cx);
        if polled.is_pending() {
            if let Some(runtime) = &self.runtime {
                runtime.help(who, cx);
            }
        }
        polled
    }
}

impl Inner {
    fn pause(&self, time: Duration) -> Wait {
        Wait {
            runtime: self.shared_runtime().cloned(),
            wait: self.sleep_steadily(after(self.now(), time)),
        }
    }

    fn timeout<F: IntoFuture>(
        &self,
        time: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<F> {
        let mut wait = self.pause(time);
        let future = future.into_future();
        async move {
            let mut future = pin!(future);
            poll_fn(|cx| {
                if let Poll::Ready(value) = future.as_mut().poll(cx) {
                    return Poll::Ready(Ok(value));
                }
                if time.is_zero() || Pin::new(&mut wait).poll(cx).is_ready() {
                    return Poll::Ready(Err(Elapsed { limit: time }));
                }
                Poll::Pending
            })
            .await
        }
    }
}

impl Bus {
    /// Waits for `time` on the clock of the bus's runtime, from this call on; on the real clock if it has none.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, VirtualRuntime};
    ///
    /// let time = VirtualRuntime::new();
    /// let bus = Bus::builder().runtime(time.clone()).build()?;
    /// let hour = Duration::from_secs(3600);
    /// futures::executor::block_on(bus.sleep(hour));
    /// assert_eq!(time.elapsed(), hour);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "a future does nothing unless it is awaited"]
    pub fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.inner().pause(time)
    }

    /// Waits for a future, and drops it when `time` has passed on the clock of the bus's runtime, from this call on. A future that is ready with its time
    /// has won; with a time of zero it is polled once.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, VirtualRuntime};
    ///
    /// let bus = Bus::builder().runtime(VirtualRuntime::new()).build()?;
    /// let second = Duration::from_secs(1);
    /// let late = bus.timeout(second, bus.sleep(second * 60));
    /// let elapsed = futures::executor::block_on(late).unwrap_err();
    /// assert_eq!(elapsed.to_string(), "it took longer than 1s");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Elapsed`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub fn timeout<F: IntoFuture>(
        &self,
        time: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<F> {
        self.inner().timeout(time, future)
    }
}

impl Context<'_> {
    /// Waits for `time` on the clock of this delivery's bus, as [`Bus::sleep`] does.
    #[must_use = "a future does nothing unless it is awaited"]
    pub fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.bus.pause(time)
    }

    /// Waits for a future for `time` at most, as [`Bus::timeout`] does.
    ///
    /// # Errors
    ///
    /// [`Elapsed`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub fn timeout<F: IntoFuture>(
        &self,
        time: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<F> {
        self.bus.timeout(time, future)
    }
}
