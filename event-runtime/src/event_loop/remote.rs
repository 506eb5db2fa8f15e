//! A loop as other threads see it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use event_core::private::scope::current_bus;
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
        self.call_soon(|lp| lp.adopt(event_core::emit(event)))
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

    /// Has the run end after its turn, as [`EventLoop::stop`] does.
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
        self.shared.now()
    }

    fn sleep_until(&self, at: Instant) -> Task {
        Box::pin(RemoteSleep {
            shared: Arc::clone(&self.shared),
            at,
            cell: None,
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
}

#[derive(Default)]
struct Cell(Mutex<State>);

#[derive(Default)]
struct State {
    waker: Option<Waker>,
    timer: Option<CallKey>,
    is_over: bool,
}

impl Cell {
    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn fire(&self) {
        let waker = self.with(|state| {
            state.is_over = true;
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Ends the wait when it is dropped: at its time, or with the loop.
struct Fires(Arc<Cell>);

impl Fires {
    /// Sets the timer, on the loop's thread.
    fn set(self, lp: &EventLoop, at: Instant) {
        let cell = Arc::clone(&self.0);
        if cell.with(|state| state.is_over) {
            return;
        }
        let fire = move |_: &EventLoop| {
            drop(self);
            Ok(())
        };
        let place = Location::caller();
        // A closed loop drops the callback, which fires.
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
        self.0.fire();
    }
}

impl Future for RemoteSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shared.is_closed() {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        if let Some(cell) = &self.cell {
            let (is_over, before) = cell.with(|state| (state.is_over, state.waker.replace(waker)));
            drop(before);
            return if is_over {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
        }
        let cell = Arc::<Cell>::default();
        cell.with(|state| state.waker = Some(waker));
        self.cell = Some(Arc::clone(&cell));
        let at = self.at;
        if let Some(core) = local::find(&self.shared) {
            Fires(cell).set(&core.handle(), at);
        } else {
            let fires = Fires(cell);
            let set = move |lp: &EventLoop| {
                fires.set(lp, at);
                Ok(())
            };
            let message = Message::call(Location::caller(), set);
            if self.shared.post(message).is_err() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
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
