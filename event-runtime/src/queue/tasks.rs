//! Workers as tasks of a runtime.

use std::fmt;
use std::sync::Arc;

use event_core::Runtime;

use super::backoff::Retry;
use super::channel::{Start, Worker};
use super::worker::{Job, Shift, YIELD_EVERY, work};

/// Runs workers as tasks. A task ends when it finds nothing to do; the next offer spawns it again.
///
/// A runtime that drops a task unfinished loses its place and nothing else: items that were running count as failed, the others stay, and
/// the next offer asks for a worker again.
pub struct TaskStarter<J: ?Sized> {
    runtime: Arc<dyn Runtime>,
    retry: Arc<Retry>,
    shift: Brief,
    job: Arc<J>,
}

impl<J: ?Sized> TaskStarter<J> {
    /// Spawns on this runtime.
    pub fn new(runtime: Arc<dyn Runtime>, job: Arc<J>, retry: Retry) -> Self {
        Self {
            runtime,
            retry: Arc::new(retry),
            shift: Brief { turn: YIELD_EVERY },
            job,
        }
    }

    /// Other tasks have their turn after every batch.
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        self.shift.turn = 1;
        self
    }
}

/// A task costs nothing to spawn again, so it never waits for items.
#[derive(Clone, Copy)]
struct Brief {
    turn: u32,
}

impl Shift for Brief {
    fn may_end(&self) -> bool {
        true
    }

    fn turn(&self) -> u32 {
        self.turn
    }
}

impl<T: Send + Sync + 'static, J: Job<T> + ?Sized> Start<T> for TaskStarter<J> {
    fn start(&self, worker: Worker<T>) {
        let (job, retry, shift) = (Arc::clone(&self.job), Arc::clone(&self.retry), self.shift);
        self.runtime.spawn(Box::pin(async move {
            work(worker, &*job, &retry, &shift).await;
        }));
    }
}

impl<J: ?Sized> fmt::Debug for TaskStarter<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStarter")
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
