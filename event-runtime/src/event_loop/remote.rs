//! A loop as other threads see it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use event_core::private::scope::{current_bus, emit_from};
use event_core::private::{after, sleep_on_real_clock};
use event_core::{Event, Runtime, Task};

use super::EventLoop;
use super::background::OwnThread;
use super::calls::{Action, CallKey};
use super::error::LoopError;
use super::local;
use super::outcome::{CallResult, Ended};
use super::shared::{Message, RemoteCall, Shared};

/// A loop for other threads and for signal handlers, and the [`Runtime`] of a bus.
///
/// Everything given to it comes in the order in which it was given, in the same queue as the loop's own items. It does not keep the loop open.
///
/// As a runtime it runs async listeners and waits for times. Plain functions with a queue, `every`, `debounce` or `throttle` run on threads of their own,
/// as on any other runtime but [`VirtualRuntime`](crate::VirtualRuntime): the clock of a loop in [virtual time](EventLoop::virtual_time) does not wait for them.
/// Once the loop is closed its tasks are gone, and waits go on with the real clock: a retry or a timeout never comes early.
///
/// ```
/// use tidings::EventLoop;
///
/// let lp = EventLoop::virtual_time();
/// let remote = lp.remote();
/// let thread = std::thread::spawn(move || remote.call_soon(|lp| lp.stop()));
/// lp.run_forever()?;
/// thread.join().unwrap()?;
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
#[derive(Clone)]
pub struct Remote {
    pub(super) shared: Arc<Shared>,
    /// Of a loop on its own thread, which ends with the last of them.
    #[expect(dead_code, reason = "held to be dropped")]
    pub(super) thread: Option<Arc<OwnThread>>,
}

impl EventLoop {
    /// The loop for other threads.
    pub fn remote(&self) -> Remote {
        Remote {
            shared: Arc::clone(&self.core.shared),
            thread: None,
        }
    }
}

impl Remote {
    /// Has `f` called on the loop's thread, in the loop's next turn. The bus that is current here is current in it.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; what `f` captured is dropped here.
    #[track_caller]
    pub fn call_soon<R: CallResult>(
        &self,
        f: impl FnOnce(&EventLoop) -> R + Send + 'static,
    ) -> Result<(), LoopError> {
        let place = Location::caller();
        if let Some(core) = local::find(&self.shared) {
            let action = Action::Once(Box::new(move |lp| f(lp).ended()));
            return core.soon(action, place).map(drop);
        }
        let call = Message::call(place, move |lp| f(lp).ended());
        let sent = self.shared.post(call);
        sent.map_err(|_| LoopError::Closed)
    }

    /// Emits an event on the loop's thread, in the loop's next turn, on the bus that is current here.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the event is dropped.
    #[track_caller]
    pub fn emit_soon<E: Event + Send>(&self, event: E) -> Result<(), LoopError> {
        let place = Location::caller();
        self.call_soon(move |lp| lp.adopt(emit_from(event, place)))
    }

    /// Starts a task on the loop's thread: `f` is called there to make its future, which need not be `Send`. Its error and its panic are told to the
    /// loop's hook.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; what `f` captured is dropped here.
    #[track_caller]
    pub fn spawn<F>(
        &self,
        f: impl FnOnce(&EventLoop) -> F + Send + 'static,
    ) -> Result<(), LoopError>
    where
        F: IntoFuture<Output: CallResult, IntoFuture: 'static>,
    {
        self.call_soon(|lp| {
            let future = f(lp).into_future();
            lp.spawn(async move { future.await.ended() })?.detach();
            Ok::<(), LoopError>(())
        })
    }

    /// Has the run end after its turn, or asks its `main` to end, as [`EventLoop::stop`] does.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Whether the loop was closed.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}

impl Runtime for Remote {
    fn spawn(&self, task: Task) {
        // A closed loop drops the task, which reports itself.
        drop(Self::spawn(self, |_| task));
    }

    fn now(&self) -> Instant {
        self.shared.steady_now()
    }

    fn sleep_until(&self, at: Instant) -> Task {
        Box::pin(RemoteSleep {
            shared: Arc::clone(&self.shared),
            at,
            cell: None,
            real: None,
        })
    }

    fn is_current(&self) -> bool {
        self.shared.is_home() && !self.shared.is_closed()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote(loop {})", self.shared.id)
    }
}

impl Message {
    /// Takes along the bus that is current here.
    pub(super) fn call(
        place: &'static Location<'static>,
        f: impl FnOnce(&EventLoop) -> Ended + Send + 'static,
    ) -> Self {
        Message::Call(RemoteCall {
            f: Box::new(f),
            bus: current_bus(),
            place,
        })
    }
}

/// A wait that may be polled on any thread. Its timer is set on the loop's own.
struct RemoteSleep {
    shared: Arc<Shared>,
    at: Instant,
    cell: Option<Arc<Cell>>,
    /// The rest of the time, once the loop is gone.
    real: Option<Task>,
}

#[derive(Default)]
struct Cell(Mutex<State>);

#[derive(Default)]
struct State {
    waker: Option<Waker>,
    timer: Option<CallKey>,
    /// Its time has come, or nobody waits for it any more.
    is_over: bool,
    /// The loop was closed before.
    is_gone: bool,
}

impl Cell {
    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end(&self, end: impl FnOnce(&mut State)) {
        let waker = self.with(|state| {
            end(state);
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Ends the wait. Dropped before its time, it says that the loop is gone.
struct Fires(Arc<Cell>);

impl Fires {
    /// Sets the timer, on the loop's thread.
    fn set(self, lp: &EventLoop, at: Instant) {
        let cell = Arc::clone(&self.0);
        if cell.with(|state| state.is_over) {
            return;
        }
        let fire = move |_: &EventLoop| {
            self.0.end(|state| state.is_over = true);
            Ok(())
        };
        let place = Location::caller();
        // A closed loop drops the callback.
        let Ok(key) = lp.core.at(at, Action::Once(Box::new(fire)), place) else {
            return;
        };
        let is_over = cell.with(|state| {
            state.timer = Some(key);
            state.is_over
        });
        if is_over {
            // Who waited for it is gone since.
            drop(lp.core.cancel(key));
        }
    }
}

impl Drop for Fires {
    fn drop(&mut self) {
        self.0.end(|state| state.is_gone = true);
    }
}

impl Future for RemoteSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.real.is_none() {
            if let Some(polled) = self.poll_timer(cx) {
                return polled;
            }
        }
        let (shared, at) = (Arc::clone(&self.shared), self.at);
        let rest = self.real.get_or_insert_with(|| {
            let left = at.saturating_duration_since(shared.steady_now());
            sleep_on_real_clock(after(Instant::now(), left))
        });
        rest.as_mut().poll(cx)
    }
}

impl RemoteSleep {
    /// Waits for the loop's timer. `None` if the loop is gone.
    fn poll_timer(&mut self, cx: &Context<'_>) -> Option<Poll<()>> {
        let waker = cx.waker().clone();
        if let Some(cell) = &self.cell {
            let (is_over, is_gone, before) =
                cell.with(|state| (state.is_over, state.is_gone, state.waker.replace(waker)));
            drop(before);
            return match (is_over, is_gone) {
                (true, _) => Some(Poll::Ready(())),
                (false, true) => None,
                (false, false) => Some(Poll::Pending),
            };
        }
        let cell = Arc::<Cell>::default();
        cell.with(|state| state.waker = Some(waker));
        self.cell = Some(Arc::clone(&cell));
        let at = self.at;
        if let Some(core) = local::find(&self.shared) {
            Fires(Arc::clone(&cell)).set(&core.handle(), at);
        } else {
            let fires = Fires(Arc::clone(&cell));
            let set = move |lp: &EventLoop| {
                fires.set(lp, at);
                Ok(())
            };
            // A closed loop gives it back, to be dropped.
            drop(self.shared.post(Message::call(Location::caller(), set)));
        }
        let is_gone = cell.with(|state| state.is_gone);
        (!is_gone).then_some(Poll::Pending)
    }
}

impl Drop for RemoteSleep {
    fn drop(&mut self) {
        let Some(cell) = self.cell.take() else {
            return;
        };
        let (timer, waker) = cell.with(|state| {
            state.is_over = true;
            (state.timer.take(), state.waker.take())
        });
        drop(waker);
        let Some(key) = timer else { return };
        if let Some(core) = local::find(&self.shared) {
            drop(core.cancel(key));
        } else {
            let cancel = move |lp: &EventLoop| {
                drop(lp.core.cancel(key));
                Ok(())
            };
            // A closed loop has dropped it.
            drop(self.shared.post(Message::call(Location::caller(), cancel)));
        }
    }
}
