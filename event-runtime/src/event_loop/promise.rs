//! A value that somebody gives later: the half that gives it, and the half that waits.

mod error;

use std::cell::{Cell, Ref, RefCell};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::core::Core;
use super::failure::{LoopFailure, LoopItem};
use super::local;
use super::outcome::CallResult;
use super::waiters::{DoneCallback, HasWaiters, Waiters};

pub use error::{AlreadyDone, PromiseError};

struct State<T> {
    core: Weak<Core>,
    place: &'static Location<'static>,
    waiters: Waiters,
    outcome: RefCell<Option<Result<T, PromiseError>>>,
    /// Somebody has looked at the error, or said that nobody needs to.
    seen: Cell<bool>,
}

impl<T: 'static> HasWaiters for State<T> {
    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn core(&self) -> &Weak<Core> {
        &self.core
    }
}

impl<T> State<T> {
    /// Gives it back if it is done already.
    fn settle(&self, outcome: Result<T, PromiseError>) -> Result<(), Result<T, PromiseError>> {
        if self.waiters.is_done() {
            return Err(outcome);
        }
        *self.outcome.borrow_mut() = Some(outcome);
        self.waiters.done(self.core.upgrade().as_ref(), self.place);
        Ok(())
    }

    fn look(&self) -> Result<Ref<'_, T>, PromiseError> {
        let outcome = self.outcome.borrow();
        match &*outcome {
            None if self.waiters.is_done() => Err(PromiseError::Taken),
            None => Err(PromiseError::NotReady),
            Some(Err(error)) => {
                self.seen.set(true);
                Err(error.clone())
            }
            Some(Ok(_)) => Ref::filter_map(outcome, |outcome| outcome.as_ref()?.as_ref().ok())
                .map_err(|_| PromiseError::Taken),
        }
    }
}

impl<T> Drop for State<T> {
    fn drop(&mut self) {
        let outcome = self.outcome.take();
        if let (Some(Err(PromiseError::Failed(error))), false) = (&outcome, self.seen.get()) {
            let failure = LoopFailure::error(
                LoopItem::Promise,
                self.place,
                Box::new(Rejected(Arc::clone(error))),
            );
            match self.core.upgrade() {
                Some(core) => core.fail(&failure),
                None => event_core::private::tell(format_args!("{failure}")),
            }
        }
        drop_quietly(outcome);
    }
}

/// The error of a promise, whose words are those of the error itself.
#[derive(Debug)]
struct Rejected(Arc<dyn Error + Send + Sync>);

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Rejected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl EventLoop {
    /// Two halves of a value that is still to come: who has the [`Promise`] gives it, who has the [`PromiseFuture`] waits for it.
    ///
    /// ```
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let (promise, answer) = lp.promise();
    /// assert!(answer.result().is_err(), "it is not ready");
    ///
    /// lp.call_soon(|_| promise.resolve(42))?;
    /// assert_eq!(lp.run_until_complete(answer)?.unwrap(), 42);
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    #[track_caller]
    pub fn promise<T: 'static>(&self) -> (Promise<T>, PromiseFuture<T>) {
        let state = Rc::new(State {
            core: Rc::downgrade(&self.core),
            place: Location::caller(),
            waiters: Waiters::default(),
            outcome: RefCell::new(None),
            seen: Cell::new(false),
        });
        let future = PromiseFuture {
            state: Rc::clone(&state),
            number: None,
        };
        (Promise { state }, future)
    }
}

/// The half of a promise that gives the value, once. If it is dropped first, the other half ends with [`PromiseError::Dropped`].
#[must_use = "a promise that is dropped is broken"]
pub struct Promise<T: 'static> {
    state: Rc<State<T>>,
}

impl<T: 'static> Promise<T> {
    /// Gives the value. Who waits goes on in a later turn, never inside this call. After a cancellation the value is dropped.
    pub fn resolve(self, value: T) {
        drop_quietly(self.state.settle(Ok(value)));
    }

    /// Gives an error in its place. If nobody ever looks at it, the loop's `on_failure` hook is told.
    pub fn reject(self, error: impl Into<Box<dyn Error + Send + Sync>>) {
        let error = PromiseError::Failed(Arc::from(error.into()));
        drop(self.state.settle(Err(error)));
    }

    /// Whether the one who waits does not want it any more.
    pub fn is_cancelled(&self) -> bool {
        self.state.waiters.is_done()
    }

    /// Lets several hold it; the first that gives a value wins, and the others are told.
    pub fn shared(self) -> SharedPromise<T> {
        SharedPromise(Rc::new(self))
    }
}

impl<T: 'static> Drop for Promise<T> {
    fn drop(&mut self) {
        drop(self.state.settle(Err(PromiseError::Dropped)));
    }
}

impl<T: 'static> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Promise({})", self.state.place)
    }
}

/// A [`Promise`] that several hold.
///
/// ```
/// use tidings::EventLoop;
///
/// let lp = EventLoop::virtual_time();
/// let (promise, answer) = lp.promise();
/// let promise = promise.shared();
/// assert!(promise.resolve(1).is_ok());
/// assert_eq!(promise.resolve(2).unwrap_err().0, 2);
/// assert_eq!(*answer.result().unwrap(), 1);
/// ```
pub struct SharedPromise<T: 'static>(Rc<Promise<T>>);

impl<T: 'static> SharedPromise<T> {
    /// Gives the value.
    ///
    /// # Errors
    ///
    /// [`AlreadyDone`] with the value, if it was kept, rejected or cancelled before.
    pub fn resolve(&self, value: T) -> Result<(), AlreadyDone<T>> {
        match self.0.state.settle(Ok(value)) {
            Err(Ok(value)) => Err(AlreadyDone(value)),
            _ => Ok(()),
        }
    }

    /// Gives an error in its place.
    ///
    /// # Errors
    ///
    /// [`AlreadyDone`], if it was kept, rejected or cancelled before.
    pub fn reject(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), AlreadyDone<()>> {
        let error = PromiseError::Failed(Arc::from(error.into()));
        self.0.state.settle(Err(error)).map_err(|_| AlreadyDone(()))
    }

    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        self.0.state.waiters.is_done()
    }
}

impl<T: 'static> Clone for SharedPromise<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: 'static> fmt::Debug for SharedPromise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The half of a promise that waits: a future of the value.
#[must_use = "a future does nothing unless it is awaited"]
pub struct PromiseFuture<T: 'static> {
    state: Rc<State<T>>,
    number: Option<u64>,
}

impl<T: 'static> PromiseFuture<T> {
    /// Whether it was kept, rejected or cancelled.
    pub fn is_done(&self) -> bool {
        self.state.waiters.is_done()
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            *self.state.outcome.borrow(),
            Some(Err(PromiseError::Cancelled))
        )
    }

    /// The value, as often as one likes.
    ///
    /// # Errors
    ///
    /// [`NotReady`](PromiseError::NotReady), or why there is no value.
    pub fn result(&self) -> Result<Ref<'_, T>, PromiseError> {
        self.state.look()
    }

    /// The error it was rejected with, also after an `.await`; `None` if it has a value, or had one that was taken.
    ///
    /// # Errors
    ///
    /// [`NotReady`](PromiseError::NotReady), or why there is neither.
    pub fn error(&self) -> Result<Option<Arc<dyn Error + Send + Sync>>, PromiseError> {
        match self.state.look() {
            Ok(_) | Err(PromiseError::Taken) => Ok(None),
            Err(PromiseError::Failed(error)) => Ok(Some(error)),
            Err(other) => Err(other),
        }
    }

    /// Takes the wish back; whether it was not done before.
    pub fn cancel(&self) -> bool {
        self.state.settle(Err(PromiseError::Cancelled)).is_ok()
    }

    /// Nobody needs to look at the error.
    pub fn ignore(self) {
        self.state.seen.set(true);
    }

    /// Has `f` called with the result in a turn after it is done; in the next one, if it is done already. Several are called in the order in which they
    /// were given, and in one queue with tasks that await it.
    ///
    /// ```
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let (promise, answer) = lp.promise::<u32>();
    /// answer.on_done(|lp, result| {
    ///     println!("{}", result.expect("it is kept"));
    ///     lp.stop();
    /// });
    /// promise.resolve(42);
    /// lp.run_forever()?;
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    #[track_caller]
    pub fn on_done<R: CallResult>(
        &self,
        f: impl FnOnce(&EventLoop, Result<&T, PromiseError>) -> R + 'static,
    ) -> DoneCallback {
        let state = Rc::clone(&self.state);
        let place = Location::caller();
        let home: Rc<dyn HasWaiters> = Rc::clone(&self.state) as _;
        let home = Rc::downgrade(&home);
        self.state
            .waiters
            .call(home, &self.state.core, place, move |lp| {
                match state.look() {
                    Ok(value) => f(lp, Ok(&value)),
                    Err(error) => f(lp, Err(error)),
                }
            })
    }
}

impl<T: 'static> Future for PromiseFuture<T> {
    type Output = Result<T, PromiseError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let state = &this.state;
        if state.waiters.is_done() {
            let Ok(mut outcome) = state.outcome.try_borrow_mut() else {
                // Somebody looks at the value just now.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            this.number = None;
            state.seen.set(true);
            if let Some(Err(error)) = &*outcome {
                // It stays for whoever asks once more: only a value can be taken.
                return Poll::Ready(Err(error.clone()));
            }
            let outcome = outcome.take();
            return Poll::Ready(outcome.unwrap_or(Err(PromiseError::Taken)));
        }
        let own = state.core.upgrade();
        match (local::running(), &own) {
            (_, None) => return Poll::Ready(Err(PromiseError::Dropped)),
            (_, Some(own)) if own.closed.get() => return Poll::Ready(Err(PromiseError::Dropped)),
            (Some(running), Some(own)) if !Rc::ptr_eq(&running, own) => {
                return Poll::Ready(Err(PromiseError::WrongLoop));
            }
            _ => {}
        }
        state.waiters.wake(&mut this.number, cx.waker());
        Poll::Pending
    }
}

impl<T: 'static> Drop for PromiseFuture<T> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.state.waiters.leave(number);
        }
    }
}

impl<T: 'static> fmt::Debug for PromiseFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PromiseFuture")
            .field("is_done", &self.is_done())
            .finish_non_exhaustive()
    }
}
