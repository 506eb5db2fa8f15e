//! Calls that block, on threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::EventLoop;
use super::error::LoopError;
use super::join::JoinHandle;
use super::outcome::CallResult as _;
use super::shared::Message;

impl EventLoop {
    /// Calls `f` on another thread; the task ends with what it returns. Cancelling the task lets go of the result, and the call goes on.
    ///
    /// With tokio's reactor it is a thread of tokio's pool, otherwise a new one. The clock of a loop in virtual time stands still meanwhile.
    ///
    /// ```
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::new()?;
    /// let read = lp.blocking(|| std::fs::read_to_string("/no/such/file"))?;
    /// assert!(lp.run_until_complete(read)?.expect("it does not panic").is_err());
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`], or [`LoopError::Driver`] if the operating system gives no thread.
    #[track_caller]
    pub fn blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, LoopError> {
        self.core.check_open()?;
        let (promise, result) = self.promise();
        // The half of the promise stays on this thread; the other one has a key to it.
        let key = self
            .core
            .calls_of_threads
            .borrow_mut()
            .insert(Box::new(move |result| {
                if let Ok(result) = result.downcast::<std::thread::Result<T>>() {
                    promise.resolve(*result);
                }
            }));
        let remote = self.remote();
        let call = Box::new(move || {
            let result = catch_unwind(AssertUnwindSafe(f));
            let give = move |lp: &EventLoop| {
                let give = lp.core.calls_of_threads.borrow_mut().remove(key);
                if let Some(give) = give {
                    give(Box::new(result));
                }
                ().ended()
            };
            let place = std::panic::Location::caller();
            // A closed loop has nobody who waits for it.
            drop(remote.shared.post(Message::call(place, give)));
        });
        if let Err(error) = self.core.driver.blocking(call) {
            drop(self.core.calls_of_threads.borrow_mut().remove(key));
            return Err(LoopError::Driver(error));
        }
        self.spawn(async move {
            match result.await {
                Ok(Ok(value)) => value,
                Ok(Err(panic)) => resume_unwind(panic),
                // Only a loop that is closed lets go of the promise, and it drops this task as well.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
