//! Waiting for the loop's clock, and for its next turn.

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use event_core::private::after;

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::calls::{Action, CallKey};
use super::core::Core;

/// A future that ends at a time on a loop's clock, never before. See [`EventLoop::sleep`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep {
    core: Weak<Core>,
    at: Instant,
    timer: Option<CallKey>,
    place: &'static Location<'static>,
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.at
    }

    /// Has it end at another time.
    pub fn reset(&mut self, at: Instant) {
        self.at = at;
        if let Some((core, key)) = self.core.upgrade().zip(self.timer) {
            if !core.reset(key, at) {
                // It has fired; whoever polls it next sets it again.
                self.timer = None;
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Of a loop that is closed there is nothing to wait for.
        let Some(core) = self.core.upgrade() else {
            return Poll::Ready(());
        };
        let Some(key) = self.timer else {
            let action = Action::Wake(cx.waker().clone());
            let Ok(key) = core.at(self.at, action, self.place) else {
                return Poll::Ready(());
            };
            self.timer = Some(key);
            return Poll::Pending;
        };
        let is_same = match core.calls.borrow().get(key).map(|call| &call.action) {
            None => return Poll::Ready(()),
            Some(Action::Wake(waker)) => waker.will_wake(cx.waker()),
            Some(_) => false,
        };
        if !is_same {
            // A waker is code of an executor's, and cloned while nothing is borrowed.
            let waker = Action::Wake(cx.waker().clone());
            let mut calls = core.calls.borrow_mut();
            let before = match calls.get_mut(key) {
                Some(call) => std::mem::replace(&mut call.action, waker),
                None => waker,
            };
            drop(calls);
            drop_quietly(before);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((core, key)) = self.core.upgrade().zip(self.timer) {
            drop_quietly(core.cancel(key));
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.at)
            .finish_non_exhaustive()
    }
}

/// The time of a [`timeout`](EventLoop::timeout) has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    pub(super) after: Duration,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it took longer than {:?}", self.after)
    }
}

impl Error for Elapsed {}

impl EventLoop {
    /// Waits for `time` on the loop's clock. A time of zero is [`next_turn`](Self::next_turn).
    ///
    /// The tutorial's ten tasks, which sleep for one second each and end together:
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let work = async |number: u32| {
    ///     lp.sleep(Duration::from_secs(1)).await;
    ///     number
    /// };
    /// let all = lp.run_until_complete(futures::future::join_all((0..10).map(work)))?;
    /// assert_eq!(all, (0..10).collect::<Vec<_>>());
    /// assert_eq!(lp.elapsed(), Duration::from_secs(1));
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    #[track_caller]
    pub fn sleep(&self, time: Duration) -> impl Future<Output = ()> + use<> {
        let sleep = (!time.is_zero()).then(|| self.sleep_until(after(self.time(), time)));
        async move {
            match sleep {
                Some(sleep) => sleep.await,
                None => NextTurn(false).await,
            }
        }
    }

    /// Waits for a time on the loop's clock; at least until the next turn.
    #[track_caller]
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep {
            core: Rc::downgrade(&self.core),
            at,
            timer: None,
            place: Location::caller(),
        }
    }

    /// Lets everything run that is ready now, and goes on in the next turn.
    pub fn next_turn(&self) -> impl Future<Output = ()> + use<> {
        NextTurn(false)
    }

    /// Waits for a future, and drops it when `time` has passed. A future that is ready with its time has won; with a time of zero it is polled once.
    ///
    /// # Errors
    ///
    /// [`Elapsed`].
    #[track_caller]
    pub fn timeout<F: IntoFuture>(
        &self,
        time: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> + use<F> {
        let mut sleep = self.sleep_until(after(self.time(), time));
        let future = future.into_future();
        async move {
            let mut future = std::pin::pin!(future);
            std::future::poll_fn(|cx| {
                if let Poll::Ready(value) = future.as_mut().poll(cx) {
                    return Poll::Ready(Ok(value));
                }
                if time.is_zero() || Pin::new(&mut sleep).poll(cx).is_ready() {
                    return Poll::Ready(Err(Elapsed { after: time }));
                }
                Poll::Pending
            })
            .await
        }
    }
}

struct NextTurn(bool);

impl Future for NextTurn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
