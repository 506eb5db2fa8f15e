//! Starting tasks.

use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;

use event_core::Emission;
use event_core::private::scope::{current_bus, is_open};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::cancel::CancelReason;
use super::control::{Cancelled, Control, Stage};
use super::core::{Item, SpawnHook};
use super::error::LoopError;
use super::failure::{LoopFailure, LoopItem};
use super::join::{JoinError, JoinHandle, State};

impl EventLoop {
    /// Starts a task. Its first step is in the next turn; its steps share one queue with the callbacks. The bus that is current here is current in it.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the future is dropped.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, LoopError>
    where
        F: IntoFuture<IntoFuture: 'static, Output: 'static>,
    {
        self.start(None, Location::caller(), future)
    }

    /// Starts a task with a name, which its failures tell.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the future is dropped.
    #[track_caller]
    pub fn spawn_named<F>(
        &self,
        name: impl Into<Rc<str>>,
        future: F,
    ) -> Result<JoinHandle<F::Output>, LoopError>
    where
        F: IntoFuture<IntoFuture: 'static, Output: 'static>,
    {
        self.start(Some(name.into()), Location::caller(), future)
    }

    fn start<F>(
        &self,
        name: Option<Rc<str>>,
        place: &'static Location<'static>,
        future: F,
    ) -> Result<JoinHandle<F::Output>, LoopError>
    where
        F: IntoFuture<IntoFuture: 'static, Output: 'static>,
    {
        self.start_with(name, place, future.into_future(), Ok)
    }

    /// Has `f` told the name and the place of every task before it is started, for a count or a trace; it changes nothing about the task. Its panic is
    /// told to the [`on_failure`](Self::on_failure) hook. It takes the place of the one before.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let names = Rc::new(RefCell::new(Vec::new()));
    /// let seen = Rc::clone(&names);
    /// lp.on_spawn(move |name, _place| seen.borrow_mut().extend(name.map(str::to_owned)));
    /// lp.spawn_named("worker", async {})?.detach();
    /// assert_eq!(*names.borrow(), ["worker"]);
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    pub fn on_spawn(&self, f: impl Fn(Option<&str>, &'static Location<'static>) + 'static) {
        let before = self.core.spawn_hook.replace(Some(Rc::new(f)));
        drop_quietly(before);
    }

    fn tell_spawn(&self, hook: &SpawnHook, name: Option<&str>, place: &'static Location<'static>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| hook(name, place))) {
            let failure = LoopFailure::panicked(LoopItem::Task, place, panic);
            self.core.fail(&failure.named(name.map(Rc::from)));
        }
    }

    pub(super) fn spawn_result<T: 'static>(
        &self,
        place: &'static Location<'static>,
        future: impl Future<Output = Result<T, JoinError>> + 'static,
    ) -> Result<JoinHandle<T>, LoopError> {
        self.start_with(None, place, future, |result| result)
    }

    fn start_with<T: 'static, F: Future + 'static>(
        &self,
        name: Option<Rc<str>>,
        place: &'static Location<'static>,
        future: F,
        result: impl FnOnce(F::Output) -> Result<T, JoinError> + 'static,
    ) -> Result<JoinHandle<T>, LoopError> {
        self.core.check_open()?;
        let hook = self.core.spawn_hook.borrow().clone();
        if let Some(hook) = hook {
            self.tell_spawn(&hook, name.as_deref(), place);
            // It may have closed the loop.
            self.core.check_open()?;
        }
        let state = State::new(Control::new(&self.core, name, place));
        let end = Rc::clone(&state);
        let body = Box::pin(async move {
            let outcome = result(future.await);
            end.finish(outcome);
        });
        let core = &self.core;
        let end = Rc::clone(&state);
        let mut tasks = core.tasks.borrow_mut();
        let key = tasks.insert(&core.shared, body, current_bus(), end);
        drop(tasks);
        core.push(Item::Step(key));
        Ok(JoinHandle::new(state))
    }

    /// Drives an emission's async deliveries to their end, if the bus has no runtime that would.
    #[track_caller]
    pub(super) fn adopt(&self, emission: Emission) {
        if is_open(&emission) {
            let task = self.spawn(async move { drop(emission.await) });
            // A loop that was closed meanwhile drops the emission, which tells so itself.
            if let Ok(task) = task {
                task.detach();
            }
        }
    }

    /// Ends when the task that runs now is asked to end by [`cancel`](JoinHandle::cancel), with the [reason](super::CancelReason): the task then has the
    /// loop's grace period to clean up. Outside of a task it never ends.
    ///
    /// Another task may wait for it too, and is told; but that gives the task that made it no time, since it does not listen itself.
    ///
    /// ```
    /// use tidings::event_loop::{EventLoop, JoinError};
    ///
    /// let lp = EventLoop::virtual_time();
    /// let tidy = lp.spawn({
    ///     let lp = lp.clone();
    ///     async move {
    ///         lp.cancelled().await;
    ///         "tidied up"
    ///     }
    /// })?;
    /// lp.turn(std::time::Duration::ZERO)?;
    /// tidy.cancel();
    /// assert_eq!(lp.run_until_complete(tidy)?, Ok("tidied up"));
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    pub fn cancelled(&self) -> Cancelled {
        Cancelled::of(self.core.current_task.borrow().clone())
    }

    pub(super) fn is_cancel_awaited(&self) -> bool {
        let task = self.core.current_task.borrow().clone();
        task.is_some_and(|task| task.control().is_cancel_awaited())
    }

    pub(super) fn abort_current(&self) {
        let task = self.core.current_task.borrow().clone();
        if let Some(task) = task {
            task.control()
                .cancel(Stage::Aborted, CancelReason::Requested);
        }
    }

    /// The name of the task whose step runs now, or its place if it has none; `None` outside of every task.
    ///
    /// ```
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// assert_eq!(lp.current_task(), None);
    /// let own = lp.clone();
    /// let task = lp.spawn_named("worker", async move { own.current_task() })?;
    /// assert_eq!(lp.run_until_complete(task)?, Ok(Some("worker".to_owned())));
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    pub fn current_task(&self) -> Option<String> {
        let task = self.core.current_task.borrow();
        let control = task.as_ref()?.control();
        let name = control.name.as_deref().map(str::to_owned);
        Some(name.unwrap_or_else(|| control.place.to_string()))
    }

    /// The names of the tasks that have not ended, in no order; those without a name are not among them.
    pub fn task_names(&self) -> Vec<String> {
        let tasks = self.core.tasks.borrow();
        let names = tasks
            .iter()
            .filter_map(|slot| slot.end.control().name.as_deref());
        names.map(str::to_owned).collect()
    }

    /// How many tasks have not ended.
    pub fn task_count(&self) -> usize {
        self.core.tasks.borrow().len()
    }
}
