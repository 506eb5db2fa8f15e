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
use super::control::{Cancelled, Stage};
use super::core::Core;
use super::error::LoopError;
use super::join::{JoinError, JoinHandle, Settle};

/// What went wrong in a scope: every error of its tasks, in the order in which they came.
#[derive(Debug)]
pub struct ScopeError {
    errors: Vec<Box<dyn Error + Send + Sync>>,
}

impl ScopeError {
    /// The errors, the first of which ended the scope. None if it was [cancelled](TaskScope::cancel).
    pub fn errors(&self) -> &[Box<dyn Error + Send + Sync>] {
        &self.errors
    }

    /// Gives the errors away.
    pub fn into_errors(self) -> Vec<Box<dyn Error + Send + Sync>> {
        self.errors
    }

    /// Whether the scope was ended by [`TaskScope::cancel`] and nothing went wrong.
    pub fn is_cancelled(&self) -> bool {
        self.errors.is_empty()
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [] => f.write_str("the scope was cancelled"),
            [only] => only.fmt(f),
            [first, rest @ ..] => write!(f, "{first} (and {} more errors)", rest.len()),
        }
    }
}

impl Error for ScopeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.errors.first().map(|error| &**error as _)
    }
}

/// Where the tasks of a scope are started. A clone is the same scope, so tasks may start others.
#[derive(Clone)]
pub struct TaskScope {
    lp: EventLoop,
    state: Rc<State>,
}

#[derive(Default)]
pub(super) struct State {
    tasks: RefCell<Vec<Rc<dyn Settle>>>,
    errors: RefCell<Vec<Box<dyn Error + Send + Sync>>>,
    /// How many tasks have not ended.
    open: Cell<usize>,
    /// The tasks are to end, and the block with them.
    stage: Cell<Phase>,
    /// Who drives the scope.
    driver: RefCell<Option<Waker>>,
    /// The scope in whose block this one stands.
    enclosing: Option<Rc<State>>,
    /// This one's block is gone, and the enclosing one waits for its tasks.
    is_inherited: Cell<bool>,
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
        let task = self.lp.spawn_result(Location::caller(), async move {
            future.await.map_err(|error| {
                state.fail(error.into());
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

    fn check(&self) -> Result<(), LoopError> {
        match self.state.stage.get() {
            Phase::Open => Ok(()),
            Phase::Ending | Phase::Over => Err(LoopError::ScopeEnded),
        }
    }

    fn adopt<T: 'static>(&self, task: &JoinHandle<T>) {
        let state = &self.state;
        state.open.set(state.open.get() + 1);
        let end = task.end();
        state.tasks.borrow_mut().push(Rc::clone(&end));
        let (scope, done) = (Rc::clone(state), Rc::clone(&end));
        end.control().when_settled(move |error| {
            scope
                .tasks
                .borrow_mut()
                .retain(|task| !Rc::ptr_eq(task, &done));
            scope.ended(error);
        });
    }
}

impl fmt::Debug for TaskScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskScope({} tasks)", self.state.open.get())
    }
}

impl State {
    /// A task has ended, without a result if there is an error.
    fn ended(&self, error: Option<&JoinError>) {
        self.open.set(self.open.get() - 1);
        if let Some(JoinError::Panicked(message)) = error {
            self.fail(format!("a task panicked: {message}").into());
        }
        // One that was cancelled on its own is no error.
        self.look();
        if let (true, Some(enclosing)) = (self.is_inherited.get(), &self.enclosing) {
            enclosing.open.set(enclosing.open.get() - 1);
            for error in self.errors.take() {
                enclosing.fail(error);
            }
            enclosing.look();
        }
    }

    fn fail(&self, error: Box<dyn Error + Send + Sync>) {
        self.errors.borrow_mut().push(error);
        self.end();
    }

    fn end(&self) {
        if self.stage.get() == Phase::Open {
            self.stage.set(Phase::Ending);
            let tasks = self.tasks.borrow().clone();
            for task in tasks {
                task.control().cancel(Stage::Asked);
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

/// Ends the tasks of a scope whose block is dropped. The enclosing scope waits for them.
struct Open<'s>(&'s State);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let state = self.0;
        state.end();
        state.stage.set(Phase::Over);
        if let Some(enclosing) = &state.enclosing {
            let left = state.open.get();
            if left > 0 && enclosing.stage.get() != Phase::Over {
                enclosing.open.set(enclosing.open.get() + left);
                state.is_inherited.set(true);
            }
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
    /// before, and cleans up, a scope is as anywhere else. If it is dropped, by a [`timeout`](Self::timeout) for example, its tasks are cancelled, and waited for by
    /// the scope it stands in, if there is one.
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
            if !asked && is_asked(&mut token, cx) {
                asked = true;
                state.end();
            }
            Poll::Pending
        })
        .await;
        let was_ended = state.stage.get() == Phase::Ending;
        drop((open, token));
        let errors = state.errors.take();
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
            if is_asked(token, cx) {
                state.end();
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

/// Whether the task was asked to end since the scope began.
fn is_asked(token: &mut Option<Cancelled>, cx: &mut Context<'_>) -> bool {
    (token.as_mut()).is_some_and(|token| Pin::new(token).poll(cx).is_ready())
}

enum Ended<T> {
    Block(T),
    Asked,
}
