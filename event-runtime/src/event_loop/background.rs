//! A loop on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::EventLoop;
use super::error::LoopError;
use super::remote::Remote;
use super::shared::Shared;

/// Stops the loop when nobody can reach it any more.
pub(super) struct OwnThread(Arc<Shared>);

impl Drop for OwnThread {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl EventLoop {
    /// Runs a loop on a thread of its own, beside a tokio or an axum program for example, until it is [stopped](Remote::stop) or the last clone of its
    /// `Remote` is dropped. A bus whose runtime it is has one, and so has a task that holds one. What is left then is dropped. Its settings are those that
    /// an [`EventLoopBuilder`](super::EventLoopBuilder) has at first.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, EventLoop, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener]
    /// async fn confirm(_: &Placed) {
    ///     assert_eq!(std::thread::current().name(), Some("tidings:loop"));
    /// }
    ///
    /// let bus = Bus::builder().runtime(EventLoop::background()?).build()?;
    /// let report = futures::executor::block_on(async { bus.emit(Placed).await });
    /// assert_eq!((report.ran(), report.failures().len()), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Driver`] if the operating system gives no thread or no I/O.
    #[track_caller]
    pub fn background() -> Result<Remote, LoopError> {
        let (send, receive) = sync_channel(1);
        let builder = Self::builder();
        let run = move || {
            let lp = match builder.build() {
                Ok(lp) => lp,
                Err(error) => return drop(send.send(Err(error))),
            };
            let remote = Remote {
                thread: Some(Arc::new(OwnThread(Arc::clone(&lp.core.shared)))),
                ..lp.remote()
            };
            if send.send(Ok(remote)).is_err() {
                return;
            }
            drop(send);
            // Only a fatal error ends the run otherwise, and the thread has nobody to give it to.
            if let Err(error) = lp.run_forever() {
                event_core::private::tell(format_args!("a loop in the background ended: {error}"));
            }
        };
        let thread = thread::Builder::new().name("tidings:loop".to_owned());
        thread.spawn(run).map_err(LoopError::Driver)?;
        let gone = || LoopError::Driver(io::Error::other("the loop's thread ended at once"));
        receive.recv().map_err(|_| gone())?
    }
}
