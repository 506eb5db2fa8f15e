//! Tasks that belong together: none of them outlives the block that started them.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use event_core::private::{panic_message, tell};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::cancel::{CancelReason, ScopeId};
use super::control::{Cancelled, Stage};
use super::core::Core;
use super::error::LoopError;
use super::failure::give;
use super::fault::{Fault, ScopeError, What};
use super::join::{Home, JoinError, JoinHandle, Settle};

/// Where the tasks of a scope are started. A clone is the same scope, so tasks may start others.
#[derive(Clone)]
pub struct TaskScope {
    lp: EventLoop,
    state: Rc<State>,
}

#[derive(Default)]
pub(super) struct State {
    id: ScopeId,
    tasks: RefCell<Vec<Rc<dyn Settle>>>,
    faults: RefCell<Vec<Fault>>,
    /// How many tasks have not ended, also of the scopes in the block whose own blocks are gone.
    open: Cell<usize>,
    /// The tasks are to end, and the block with them.
    stage: Cell<Phase>,
    /// Who drives the scope.
    driver: RefCell<Option<Waker>>,
    /// The scope in whose block this one stands. Once this one is over, that one waits for what is left, and has its errors.
    enclosing: Option<Rc<State>>,
    core: Home,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Open,
    /// The tasks are asked to end.
    Ending,
    /// Nothing is started any more.
    Over,
}

impl TaskScope {
    /// Starts a task of the scope. Its panic ends the scope.
    ///
    /// # Errors
    ///
    /// [`LoopError::ScopeEnded`] once the scope has failed, was cancelled or is over; [`LoopError::Closed`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, LoopError>
    where
        F: IntoFuture<IntoFuture: 'static, Output: 'static>,
    {
        self.check()?;
        let task = self.lp.spawn(future)?;
        self.adopt(&task);
        Ok(task)
    }

    /// Starts a task of the scope that may fail. Its error ends the scope, and goes there; the handle says [`JoinError::Failed`] then.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn).
    #[track_caller]
    pub fn try_spawn<F, T, E>(&self, future: F) -> Result<JoinHandle<T>, LoopError>
    where
        F: IntoFuture<Output = Result<T, E>, IntoFuture: 'static>,
        T: 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.check()?;
        let future = future.into_future();
        let state = Rc::clone(&self.state);
        let place = Location::caller();
        let task = self.lp.spawn_result(place, async move {
            future.await.map_err(|error| {
                let what = What::Error(error.into());
                state.fail(Fault { place, what });
                JoinError::Failed
            })
        })?;
        self.adopt(&task);
        Ok(task)
    }

    /// Has the block and all its tasks end, without an error.
    pub fn cancel(&self) {
        self.state.end();
    }

    /// What tells it from other scopes in a [`CancelReason`].
    pub fn id(&self) -> ScopeId {
        self.state.id
    }

    fn check(&self) -> Result<(), LoopError> {
        match self.state.stage.get() {
            Phase::Open => Ok(()),
            Phase::Ending | Phase::Over => Err(LoopError::ScopeEnded),
        }
    }

    fn adopt<T: 'static>(&self, task: &JoinHandle<T>) {
        let state = &self.state;
        for waits in state.who_waits() {
            waits.open.set(waits.open.get() + 1);
        }
        let end = task.end();
        state.tasks.borrow_mut().push(Rc::clone(&end));
        let (scope, done) = (Rc::clone(state), Rc::clone(&end));
        end.control().when_settled(move |error| {
            scope
                .tasks
                .borrow_mut()
                .retain(|task| !Rc::ptr_eq(task, &done));
            if let Some(JoinError::Panicked(message)) = error {
                let (place, what) = (done.control().place, What::Panic(message.clone()));
                scope.fail(Fault { place, what });
            }
            // One that was cancelled on its own is no error.
            scope.task_ended();
        });
    }
}

impl fmt::Debug for TaskScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskScope({} tasks)", self.state.open.get())
    }
}

impl State {
    /// This scope, and who waits in its place if its block is gone: the enclosing one, and if that is over as well, the next.
    fn who_waits(&self) -> impl Iterator<Item = &State> {
        std::iter::successors(Some(self), |state| match state.stage.get() {
            Phase::Over => state.enclosing.as_deref(),
            Phase::Open | Phase::Ending => None,
        })
    }

    fn task_ended(&self) {
        for state in self.who_waits() {
            state.open.set(state.open.get() - 1);
            state.look();
        }
    }

    fn fail(&self, fault: Fault) {
        match self.who_waits().last() {
            Some(state) if state.stage.get() != Phase::Over => {
                state.faults.borrow_mut().push(fault);
                state.end();
            }
            _ => give(&self.core, &fault.into_failure()),
        }
    }

    fn end(&self) {
        self.end_because(&CancelReason::Scope(self.id));
    }

    fn end_because(&self, reason: &CancelReason) {
        if self.stage.get() == Phase::Open {
            self.stage.set(Phase::Ending);
            let tasks = self.tasks.borrow().clone();
            for task in tasks {
                task.control().cancel(Stage::Asked, reason.clone());
            }
        }
        self.look();
    }

    fn wake_at_change(&self, waker: &Waker) {
        let before = self.driver.replace(Some(waker.clone()));
        drop(before);
    }

    /// Has who drives the scope look again.
    fn look(&self) {
        let driver = self.driver.take();
        if let Some(Err(panic)) =
            driver.map(|driver| catch_unwind(AssertUnwindSafe(|| driver.wake())))
        {
            tell(format_args!(
                "the waker of who waits for a scope panicked: {}",
                panic_message(panic)
            ));
        }
    }
}

/// Ends the tasks of a scope whose block is dropped. The enclosing scope waits for them, and has the errors that nobody took.
struct Open<'s>(&'s State);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let state = self.0;
        state.end();
        state.stage.set(Phase::Over);
        let left = state.open.get();
        for waits in state.who_waits().skip(1) {
            waits.open.set(waits.open.get() + left);
        }
        for fault in state.faults.take() {
            state.fail(fault);
        }
    }
}

/// The scope whose block runs, until this is dropped.
struct Inside<'c> {
    core: &'c Core,
    before: Option<Rc<State>>,
}

impl<'c> Inside<'c> {
    fn enter(core: &'c Core, state: &Rc<State>) -> Self {
        let before = core.current_scope.replace(Some(Rc::clone(state)));
        Self { core, before }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let inside = self.core.current_scope.replace(self.before.take());
        drop(inside);
    }
}

impl EventLoop {
    /// Runs a block that starts tasks, and ends when all of them have ended: also those that were started late, or by other tasks of the scope.
    ///
    /// If a task fails, the others are cancelled and the block is dropped at its `.await`; all errors come out together. If the task that runs this is
    /// asked to end, the scope's tasks are asked first and waited for; then the task ends, unless something else in it waits for
    /// [`cancelled`](Self::cancelled): there the scope ends with an error that [is one](ScopeError::is_cancelled). In a task that was asked
    /// before, and cleans up, a scope is as anywhere else.
    ///
    /// If it is dropped, by a [`timeout`](Self::timeout) for example, its tasks are cancelled. The scope in whose block it stands waits for them and fails with
    /// their errors; without one, the errors are told to the loop's hook.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let sum = lp.run_until_complete(lp.scope(async |scope| {
    ///     let mut tasks = Vec::new();
    ///     for number in 0..10_u32 {
    ///         let sleep = lp.sleep(Duration::from_secs(1));
    ///         tasks.push(scope.spawn(async move {
    ///             sleep.await;
    ///             number
    ///         })?);
    ///     }
    ///     let mut sum = 0;
    ///     for task in tasks {
    ///         sum += task.await?;
    ///     }
    ///     Ok::<u32, Box<dyn std::error::Error>>(sum)
    /// }))?;
    /// assert_eq!(sum.expect("no task fails").expect("nor does the block"), 45);
    /// assert_eq!(lp.elapsed(), Duration::from_secs(1));
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ScopeError`] if a task failed or the scope was cancelled. The block's own result is inside.
    pub async fn scope<T>(
        &self,
        block: impl AsyncFnOnce(&TaskScope) -> T,
    ) -> Result<T, ScopeError> {
        let scope = TaskScope {
            lp: self.clone(),
            state: Rc::new(State {
                enclosing: self.core.current_scope.borrow().clone(),
                core: Rc::downgrade(&self.core),
                ..State::default()
            }),
        };
        let state = &*scope.state;
        let open = Open(state);
        // A request that came before is not for this scope: the task cleans up, and may do so with tasks.
        let mut token = Some(self.cancelled()).filter(|token| !token.is_done());
        let value = {
            // Dropped at its end: what the block holds may be what a task waits for.
            let mut block = pin!(block(&scope));
            self.run_block(&scope.state, block.as_mut(), &mut token)
                .await
        };
        let mut asked = matches!(value, Some(Ended::Asked));
        poll_fn(|cx| {
            if state.open.get() == 0 {
                return Poll::Ready(());
            }
            state.wake_at_change(cx.waker());
            if let (false, Some(reason)) = (asked, is_asked(&mut token, cx)) {
                asked = true;
                state.end_because(&reason);
            }
            Poll::Pending
        })
        .await;
        let was_ended = state.stage.get() == Phase::Ending;
        // Before the scope is over, since they are handed on then.
        let errors: Vec<_> = (state.faults.take().into_iter())
            .map(Fault::into_error)
            .collect();
        drop((open, token));
        match value {
            Some(Ended::Block(value)) if errors.is_empty() && !was_ended => Ok(value),
            other => {
                drop_quietly(other);
                if asked && errors.is_empty() && !self.is_cancel_awaited() {
                    // Nothing else in the task waits for the request, so the task ends here.
                    self.abort_current();
                    return std::future::pending().await;
                }
                Err(ScopeError { errors })
            }
        }
    }

    /// Until the block ends, the scope does, or the task is asked to.
    async fn run_block<T>(
        &self,
        state: &Rc<State>,
        mut block: Pin<&mut impl Future<Output = T>>,
        token: &mut Option<Cancelled>,
    ) -> Option<Ended<T>> {
        poll_fn(|cx| {
            if state.stage.get() != Phase::Open {
                return Poll::Ready(None);
            }
            if let Some(reason) = is_asked(token, cx) {
                state.end_because(&reason);
                return Poll::Ready(Some(Ended::Asked));
            }
            state.wake_at_change(cx.waker());
            let _inside = Inside::enter(&self.core, state);
            let polled = block.as_mut().poll(cx);
            polled.map(|value| Some(Ended::Block(value)))
        })
        .await
    }
}

/// Why the task was asked to end since the scope began, if it was.
fn is_asked(token: &mut Option<Cancelled>, cx: &mut Context<'_>) -> Option<CancelReason> {
    match Pin::new(token.as_mut()?).poll(cx) {
        Poll::Ready(reason) => Some(reason),
        Poll::Pending => None,
    }
}

enum Ended<T> {
    Block(T),
    Asked,
}
