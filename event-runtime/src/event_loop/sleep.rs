//! Waiting for the loop's clock, and for its next turn.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use event_core::Elapsed;
use event_core::private::after;

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::calls::{Action, CallKey};
use super::cancel::{CancelReason, because};
use super::core::Core;
use super::local;

/// A future that ends at a time on a loop's clock, never before. See [`EventLoop::sleep`].
///
/// Awaited while another loop of the thread runs, it takes as long on that one's clock, since its own stands still meanwhile.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep {
    core: Weak<Core>,
    at: Instant,
    timer: Option<Timer>,
    place: &'static Location<'static>,
}

/// Set on the loop that runs where the sleep is awaited.
struct Timer {
    core: Weak<Core>,
    key: CallKey,
}

impl Timer {
    /// Of a loop that is gone there is none left.
    fn core(&self) -> Option<Rc<Core>> {
        self.core.upgrade()
    }
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.at
    }

    /// Has it end at another time.
    pub fn reset(&mut self, at: Instant) {
        self.at = at;
        let (Some(timer), Some(own)) = (&self.timer, self.core.upgrade()) else {
            return;
        };
        let was_set =
            (timer.core()).is_some_and(|core| core.reset(timer.key, self.on(&own, &core)));
        if !was_set {
            // It has fired; whoever polls it next sets it again.
            self.timer = None;
        }
    }

    /// The end on the clock of `core`.
    fn on(&self, own: &Rc<Core>, core: &Rc<Core>) -> Instant {
        if Rc::ptr_eq(own, core) {
            return self.at;
        }
        let left = self.at.saturating_duration_since(own.shared.now());
        after(core.shared.now(), left)
    }

    fn take_back(&mut self) {
        if let Some(timer) = self.timer.take() {
            if let Some(core) = timer.core() {
                drop_quietly(core.cancel(timer.key));
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Of a loop that is closed there is nothing to wait for.
        let Some(own) = self.core.upgrade().filter(|own| !own.closed.get()) else {
            return Poll::Ready(());
        };
        let core = local::running().unwrap_or_else(|| Rc::clone(&own));
        let set_on = self.timer.as_ref().and_then(Timer::core);
        if set_on.is_none_or(|set_on| !Rc::ptr_eq(&set_on, &core)) {
            self.take_back();
            let action = Action::Wake(cx.waker().clone());
            let Ok(key) = core.at(self.on(&own, &core), action, self.place) else {
                return Poll::Ready(());
            };
            let core = Rc::downgrade(&core);
            self.timer = Some(Timer { core, key });
            return Poll::Pending;
        }
        let Some(Timer { key, .. }) = self.timer else {
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
        self.take_back();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.at)
            .finish_non_exhaustive()
    }
}

impl EventLoop {
    /// Waits for `time` on the loop's clock. A time of zero is [`next_turn`](Self::next_turn).
    ///
    /// It is for tasks. An async listener may be run by any runtime, so its future goes between threads and an `EventLoop` does not: there it is
    /// [`Context::sleep`](event_core::Context::sleep).
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
            let mut future = std::pin::pin!(Some(future));
            std::future::poll_fn(|cx| {
                if let Poll::Ready(value) = poll_some(future.as_mut(), cx) {
                    return Poll::Ready(Ok(value));
                }
                if time.is_zero() || Pin::new(&mut sleep).poll(cx).is_ready() {
                    let _because = because(CancelReason::Timeout);
                    future.set(None);
                    return Poll::Ready(Err(Elapsed::new(time)));
                }
                Poll::Pending
            })
            .await
        }
    }
}

/// Polls a future that is there until its time is over.
pub(super) fn poll_some<F: Future>(
    future: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    match future.as_pin_mut() {
        Some(future) => future.poll(cx),
        None => Poll::Pending,
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
