//! The end of a program's loop: nothing is cut off that can end by itself.

use std::panic::Location;
use std::time::Duration;

use event_core::private::after;

use super::EventLoop;
use super::cancel::CancelReason;
use super::control::Stage;
use super::error::LoopError;
use super::main_task::MainTask;
use super::run::Unfinished;

/// How long [`run`] waits for what is left: longer than the grace of any task, since calls on other threads cannot be asked to end.
const LONGEST: Duration = Duration::from_secs(300);

impl EventLoop {
    /// Asks every task to end, waits for them and for the threads of [`blocking`](Self::blocking) calls, and closes the loop. Says what had not ended
    /// after `time` and was dropped.
    ///
    /// A task that waits for [`cancelled`](Self::cancelled) has the loop's grace period to clean up. Callbacks that are ready when the last task has ended
    /// still run, in one more turn; timers are then dropped and counted. In virtual time the clock stands still during `blocking` calls, so those
    /// are waited for however long they take.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// let own = lp.clone();
    /// let mut tidy = lp.spawn(async move {
    ///     own.cancelled().await;
    ///     own.sleep(Duration::from_secs(1)).await;
    ///     "tidied up"
    /// })?;
    /// lp.turn(Duration::ZERO)?;
    /// let left = lp.shutdown(Duration::from_secs(10))?;
    /// assert!(left.is_empty() && lp.is_closed());
    /// assert_eq!(tidy.take(), Some(Ok("tidied up")));
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run_forever`](Self::run_forever). After a [`Fatal`](LoopError::Fatal) the loop is closed as well.
    pub fn shutdown(&self, time: Duration) -> Result<Unfinished, LoopError> {
        self.check_run()?;
        let end = after(self.time(), time);
        let mut asked = Vec::new();
        let mut is_last = false;
        loop {
            let is_empty = self.task_count() == 0 && !self.core.has_threads();
            if is_empty {
                if is_last || !self.core.has_ready() {
                    break;
                }
                is_last = true;
            }
            // Those that the last ones started while they ended are asked as well.
            asked.retain(|task: &std::rc::Rc<dyn super::join::Settle>| {
                !task.control().waiters.is_done()
            });
            if asked.is_empty() {
                asked = self.core.tasks.borrow().ends();
                for task in &asked {
                    task.control().cancel(Stage::Asked, CancelReason::Close);
                }
            }
            let left = end.saturating_duration_since(self.time());
            // What is ready may be a message that says nothing, and then there is nothing to wait for.
            let turn = self.turn(if is_empty { Duration::ZERO } else { left });
            if turn.is_err() || left.is_zero() {
                let dropped = self.close()?;
                return turn.map(|_| dropped);
            }
        }
        self.close()
    }
}

/// Runs a program: a new loop, `main` on it until its end, and then a [shutdown](EventLoop::shutdown) of everything that it left behind.
///
/// ```
/// use std::time::Duration;
/// use tidings::event_loop::{LoopError, run};
///
/// let answer = run(async |lp| {
///     lp.sleep(Duration::from_millis(1)).await;
///     42
/// })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), LoopError>(())
/// ```
///
/// # Errors
///
/// Those of [`EventLoop::new`] and [`EventLoop::run_until_complete`], and [`AlreadyRunning`](LoopError::AlreadyRunning) inside a loop.
/// [`Stopped`](LoopError::Stopped) if [`stop`](EventLoop::stop) asked `main` to end and it gave no result.
///
/// # Panics
///
/// With `main`'s own panic.
#[track_caller]
pub fn run<T>(main: impl AsyncFnOnce(&EventLoop) -> T) -> Result<T, LoopError> {
    if super::local::running().is_some() {
        return Err(LoopError::AlreadyRunning);
    }
    let lp = EventLoop::new()?;
    let ended = lp.run_main(Location::caller(), main(&lp));
    let asked = lp.core.main.borrow().clone();
    if !lp.is_closed() {
        let left = lp.shutdown(LONGEST)?;
        lp.tell_dropped(left.tasks);
    }
    ended.and_then(|value| value.ok_or_else(|| not_ended(asked.as_deref())))
}

/// Why `main` gave no result.
pub(super) fn not_ended(main: Option<&MainTask>) -> LoopError {
    #[cfg(feature = "signal")]
    if let Some(signal) = main.and_then(MainTask::asked_by) {
        return LoopError::Signalled(signal);
    }
    let _ = main;
    LoopError::Stopped
}
