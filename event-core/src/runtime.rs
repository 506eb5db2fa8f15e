//! Where async deliveries go that nobody awaits.

use std::future::Future;
use std::pin::Pin;

/// One async delivery: never panics, gives nothing, reports itself if it is dropped unfinished.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs the tasks of a bus.
///
/// With the feature `tokio` a `tokio::runtime::Handle` is one.
///
/// ```standalone_crate
/// use tidings::{Bus, Runtime, Task, event, listener};
///
/// /// A thread for every delivery.
/// struct Threads;
///
/// impl Runtime for Threads {
///     fn spawn(&self, task: Task) {
///         std::thread::spawn(|| futures::executor::block_on(task));
///     }
/// }
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// async fn confirm(_: &Placed) {}
///
/// let bus = Bus::builder().runtime(Threads).build()?;
/// assert_eq!(bus.emit(Placed).report().queued(), 1);
/// # Ok::<(), tidings::BuildError>(())
/// ```
pub trait Runtime: Send + Sync + 'static {
    /// Runs a task to its end. A task that cannot be run is dropped; the delivery is then reported as abandoned.
    fn spawn(&self, task: Task);
}

#[cfg(feature = "tokio")]
impl Runtime for tokio::runtime::Handle {
    fn spawn(&self, task: Task) {
        // The task's end is told by the delivery itself, so its handle has nothing to add.
        drop(tokio::runtime::Handle::spawn(self, task));
    }
}
