//! A time limit that the block under it can move.

use std::cell::RefCell;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use event_core::Elapsed;
use event_core::private::after;

use super::EventLoop;
use super::cancel::{CancelReason, because};
use super::sleep::{Sleep, poll_some};

/// The time limit of a block. See [`EventLoop::timeout_with`].
#[derive(Debug)]
pub struct Deadline {
    lp: EventLoop,
    begun: Instant,
    sleep: RefCell<Option<Sleep>>,
}

impl Deadline {
    /// When the block is dropped; `None` if it has no limit.
    pub fn when(&self) -> Option<Instant> {
        self.sleep.borrow().as_ref().map(Sleep::deadline)
    }

    /// Gives the block that much time from now.
    pub fn reset(&self, time: Duration) {
        self.reset_at(after(self.lp.time(), time));
    }

    /// Gives the block until a time on the loop's clock. One that has passed ends it at its next `.await`.
    pub fn reset_at(&self, at: Instant) {
        let mut sleep = self.sleep.borrow_mut();
        match &mut *sleep {
            Some(sleep) => sleep.reset(at),
            None => *sleep = Some(self.lp.sleep_until(at)),
        }
    }

    /// Lets the block take as long as it likes.
    pub fn disable(&self) {
        let sleep = self.sleep.take();
        drop(sleep);
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Elapsed> {
        // Taken out while it is polled, since a waker is code of an executor's.
        let Some(mut limit) = self.sleep.take() else {
            return Poll::Pending;
        };
        let after = limit.deadline().saturating_duration_since(self.begun);
        let polled = Pin::new(&mut limit).poll(cx).map(|()| Elapsed::new(after));
        self.sleep.borrow_mut().get_or_insert(limit);
        polled
    }
}

impl EventLoop {
    /// Runs a block that can move its own time limit, and drops it at its `.await` when the limit has passed. A block that ends with its time has won.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let second = Duration::from_secs(1);
    /// let read = lp.run_until_complete(lp.timeout_with(second, async |deadline| {
    ///     for _ in 0..10 {
    ///         lp.sleep(second / 2).await;
    ///         // Something came, so the next part has a second again.
    ///         deadline.reset(second);
    ///     }
    /// }))?;
    /// assert!(read.is_ok());
    /// assert_eq!(lp.elapsed(), second * 5);
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Elapsed`].
    pub async fn timeout_with<T>(
        &self,
        time: Duration,
        block: impl AsyncFnOnce(&Deadline) -> T,
    ) -> Result<T, Elapsed> {
        let begun = self.time();
        let deadline = Deadline {
            lp: self.clone(),
            begun,
            sleep: RefCell::new(Some(self.sleep_until(after(begun, time)))),
        };
        let mut block = pin!(Some(block(&deadline)));
        poll_fn(|cx| match poll_some(block.as_mut(), cx) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => deadline.poll(cx).map(|elapsed| {
                let _because = because(CancelReason::Timeout);
                block.set(None);
                Err(elapsed)
            }),
        })
        .await
    }
}
