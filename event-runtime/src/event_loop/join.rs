//! The handle of a task.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::cancel::{self, CancelReason};
use super::control::{Control, Stage};
use super::core::Core;
use super::failure::{LoopFailure, LoopItem, give};
use super::local;
use super::outcome::{CallResult, TaskResult};
use super::waiters::{DoneCallback, HasWaiters, Waiters};

/// Why a task gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// It was cancelled, or its loop was closed.
    Cancelled,
    /// It returned an error, which went to its [scope](super::TaskScope).
    Failed,
    /// It panicked, with these words.
    Panicked(String),
    /// A task waits for itself.
    SelfAwait,
    /// Another loop runs than the one the task belongs to, so the task cannot go on.
    WrongLoop,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("the task was cancelled"),
            JoinError::Failed => f.write_str("the task failed, and its scope has the error"),
            JoinError::Panicked(message) => write!(f, "the task panicked: {message}"),
            JoinError::SelfAwait => f.write_str("the task waits for itself"),
            JoinError::WrongLoop => f.write_str(
                "the task belongs to another event loop than the one that runs here, so it cannot go on",
            ),
        }
    }
}

impl Error for JoinError {}

/// What the loop knows of a task's result.
pub(super) trait Settle {
    fn control(&self) -> &Control;

    /// Ends the task without a result.
    fn settle(&self, error: JoinError);
}

/// What is done with the value of a task without a handle.
type Sink<T> = fn(&Control, T);

pub(super) struct State<T> {
    pub(super) control: Control,
    outcome: RefCell<Option<Result<T, JoinError>>>,
    /// Where the result goes if there is no handle.
    sink: Cell<Option<Sink<T>>>,
}

impl<T: 'static> State<T> {
    pub(super) fn new(control: Control) -> Rc<Self> {
        Rc::new(Self {
            control,
            outcome: RefCell::new(None),
            sink: Cell::new(None),
        })
    }

    pub(super) fn finish(&self, outcome: Result<T, JoinError>) {
        let control = &self.control;
        if control.waiters.is_done() {
            return;
        }
        control.end_grace();
        let settled = control.take_settled();
        if let Some(settled) = settled {
            settled(outcome.as_ref().err());
        }
        if control.handle_gone.get() {
            self.let_go(outcome);
        } else {
            *self.outcome.borrow_mut() = Some(outcome);
        }
        let core = control.core.upgrade();
        control.waiters.done(core.as_ref(), control.place);
    }

    /// Nobody will look at the result.
    fn let_go(&self, outcome: Result<T, JoinError>) {
        match (outcome, self.sink.get()) {
            (Ok(value), Some(sink)) => sink(&self.control, value),
            (Ok(value), None) => drop_quietly(value),
            (Err(JoinError::Panicked(message)), _) if !self.control.is_in_scope() => {
                self.control.tell(true, message);
            }
            (Err(_), _) => {}
        }
    }
}

impl<T: 'static> HasWaiters for State<T> {
    fn waiters(&self) -> &Waiters {
        &self.control.waiters
    }

    fn core(&self) -> &Weak<Core> {
        &self.control.core
    }
}

impl<T: 'static> Settle for State<T> {
    fn control(&self) -> &Control {
        &self.control
    }

    fn settle(&self, error: JoinError) {
        self.finish(Err(error));
    }
}

/// A task of an event loop: a future of its result.
///
/// A handle that is dropped lets its task run on, and its panic is told to the loop's hook. But a task that somebody awaited by its handle is
/// cancelled when that handle is dropped: nobody waits for it any more. Await `&mut handle` to give up waiting and nothing else.
///
/// ```
/// use tidings::event_loop::{EventLoop, JoinError};
///
/// let lp = EventLoop::virtual_time();
/// let answer = lp.spawn(async { 6 * 7 })?;
/// assert_eq!(lp.run_until_complete(answer)?, Ok(42));
///
/// let endless = lp.spawn(std::future::pending::<()>())?;
/// endless.cancel();
/// assert_eq!(lp.run_until_complete(endless)?, Err(JoinError::Cancelled));
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
#[must_use = "a dropped handle hides the task's error; await it, or `.detach()` it to have its error told to the loop's hook"]
pub struct JoinHandle<T: 'static> {
    state: Rc<State<T>>,
    number: Option<u64>,
    awaited: bool,
}

impl<T: 'static> JoinHandle<T> {
    pub(super) fn new(state: Rc<State<T>>) -> Self {
        Self {
            state,
            number: None,
            awaited: false,
        }
    }

    pub(super) fn end(&self) -> Rc<dyn Settle> {
        Rc::clone(&self.state) as _
    }

    /// Asks the task to end; whether it had not ended before.
    ///
    /// It takes effect in a later turn. A task that has not begun never does. One that waits for [`cancelled`](EventLoop::cancelled) is told, and has the
    /// loop's grace period to clean up; every other one is dropped at its `.await`.
    pub fn cancel(&self) -> bool {
        (self.state.control).cancel(Stage::Asked, CancelReason::Requested)
    }

    /// Has the task dropped at its `.await` in a later turn, whatever it waits for; whether it had not ended before.
    pub fn abort(&self) -> bool {
        (self.state.control).cancel(Stage::Aborted, CancelReason::Requested)
    }

    /// As [`cancel`](Self::cancel), with words for who wants to know why: the task, which [`cancelled`](EventLoop::cancelled) tells, and who asks for the
    /// [reason](Self::cancel_reason).
    pub fn cancel_with(&self, why: impl Into<Arc<str>>) -> bool {
        let reason = CancelReason::Said(why.into());
        self.state.control.cancel(Stage::Asked, reason)
    }

    /// Why the task was asked to end, if it was: the first request counts. It says nothing of whether the task did so.
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        self.state.control.reason()
    }

    /// Lets the task run on by itself, also if somebody awaited it. Its error or panic is told to the loop's hook.
    ///
    /// It is for tasks that return nothing or a `Result`. What else a task returns is nobody's: have it dropped inside.
    ///
    /// ```compile_fail,E0277
    /// let lp = tidings::EventLoop::virtual_time();
    /// lp.spawn(async { 42 }).unwrap().detach();
    /// ```
    pub fn detach(mut self)
    where
        T: TaskResult,
    {
        self.awaited = false;
        self.state.sink.set(Some(|control, result| {
            if let Some(error) = result.error() {
                control.fail(error);
            }
        }));
        if let Some(outcome) = self.state.outcome.take() {
            self.state.let_go(outcome);
        }
    }

    /// Has a set told of the end; whether that is still to come. Without its handle nobody waits for the task.
    pub(super) fn wake_at_end(&mut self, waker: &Waker) -> bool {
        let control = &self.state.control;
        if control.waiters.is_done() {
            return false;
        }
        self.awaited = true;
        control.waiters.wake(&mut self.number, waker);
        true
    }

    /// Nobody has awaited it.
    pub(super) fn wait_no_more(&mut self) {
        self.awaited = false;
    }

    /// Why the one who asks could wait for ever.
    pub(super) fn refused(&self) -> Option<JoinError> {
        refuse(&self.state.control)
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.state.control.waiters.is_done()
    }

    /// The name that it was given.
    pub fn name(&self) -> Option<&str> {
        self.state.control.name.as_deref()
    }

    /// The result, if the task has ended and nobody took it before.
    pub fn take(&mut self) -> Option<Result<T, JoinError>> {
        self.state.outcome.take()
    }

    /// Has `f` called in a turn after the task's end, at once in the next one if it has ended. Several are called in the order in which they were given.
    /// The result is for who has the handle: it is [taken](Self::take) or awaited.
    #[track_caller]
    pub fn on_done<R: CallResult>(
        &self,
        f: impl FnOnce(&EventLoop) -> R + 'static,
    ) -> DoneCallback {
        let control = &self.state.control;
        let state: Rc<dyn HasWaiters> = Rc::clone(&self.state) as _;
        (control.waiters).call(Rc::downgrade(&state), &control.core, Location::caller(), f)
    }
}

impl<T: 'static> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let control = &this.state.control;
        if control.waiters.is_done() {
            this.number = None;
            // Asked once more after its end, it has nothing else to say.
            let outcome = this.state.outcome.take();
            return Poll::Ready(outcome.unwrap_or(Err(JoinError::Cancelled)));
        }
        if let Some(refused) = refuse(control) {
            return Poll::Ready(Err(refused));
        }
        this.awaited = true;
        control.waiters.wake(&mut this.number, cx.waker());
        Poll::Pending
    }
}

/// Whether the one who asks could wait for ever.
fn refuse(control: &Control) -> Option<JoinError> {
    let running = local::running()?;
    let own = control.core.upgrade()?;
    if !Rc::ptr_eq(&running, &own) {
        return Some(JoinError::WrongLoop);
    }
    let task = own.current_task.borrow();
    let key = task.as_ref().map(|task| task.control().key.get());
    (key == Some(control.key.get())).then_some(JoinError::SelfAwait)
}

impl<T: 'static> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let control = &self.state.control;
        if let Some(number) = self.number {
            control.waiters.leave(number);
        }
        control.handle_gone.set(true);
        if !control.waiters.is_done() {
            if self.awaited {
                control.cancel(Stage::Asked, cancel::why_dropped());
            }
        } else if let Some(outcome) = self.state.outcome.take() {
            self.state.let_go(outcome);
        }
    }
}

impl<T: 'static> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("name", &self.name())
            .field("is_finished", &self.is_finished())
            .finish()
    }
}

impl Control {
    fn tell(&self, panicked: bool, message: String) {
        let failure = LoopFailure::said(LoopItem::Task, self.place, panicked, message);
        self.give(failure);
    }

    fn fail(&self, error: Box<dyn Error + Send + Sync>) {
        self.give(LoopFailure::error(LoopItem::Task, self.place, error));
    }

    fn give(&self, failure: LoopFailure) {
        give(&self.core, &failure.named(self.name.clone()));
    }
}

/// The loop of a control, for what belongs to it.
pub(super) type Home = Weak<Core>;
