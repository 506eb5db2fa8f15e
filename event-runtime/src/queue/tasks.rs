//! Workers as tasks of a runtime.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use event_core::Runtime;

use super::backoff::Retry;
use super::channel::{Channel, Start, Worker};
use super::quiet::{drop_quietly, forget_panic};
use super::worker::{Job, Loss, Shift, YIELD_EVERY, work};

/// Runs workers as tasks. A task ends when it finds nothing to do; the next offer spawns it again.
///
/// A runtime that drops a task unfinished loses its place and what it ran: those items count as failed, the others stay, and a worker is asked
/// for again. If the runtime does not even begin that one, the queue is given to [`Job::lose`].
pub struct TaskStarter<J: ?Sized> {
    crew: Arc<Crew<J>>,
    shift: Brief,
}

struct Crew<J: ?Sized> {
    runtime: Arc<dyn Runtime>,
    retry: Retry,
    job: Arc<J>,
    /// A worker was dropped, and none has begun since.
    bereft: AtomicBool,
}

impl<J: ?Sized> TaskStarter<J> {
    /// Spawns on this runtime.
    pub fn new(runtime: Arc<dyn Runtime>, job: Arc<J>, retry: Retry) -> Self {
        Self {
            crew: Arc::new(Crew {
                runtime,
                retry,
                job,
                bereft: AtomicBool::new(false),
            }),
            shift: Brief { turn: YIELD_EVERY },
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
        let channel = worker.channel().clone();
        let fate = Arc::new(AtomicU8::new(OFFERED));
        let place = Place {
            worker: Some(worker),
            crew: Arc::clone(&self.crew),
            channel: channel.clone(),
            fate: Arc::clone(&fate),
        };
        let shift = self.shift;
        let task = Box::pin(async move {
            // As a whole: what it would leave behind is dropped before it looks at the queue.
            let mut place = place;
            if let Some(worker) = place.begin() {
                let crew = Arc::clone(&place.crew);
                work(worker, &*crew.job, &crew.retry, &shift).await;
            }
            place.fate.store(ENDED, Ordering::Relaxed);
        });
        let spawned = catch_unwind(AssertUnwindSafe(|| self.crew.runtime.spawn(task)));
        if let Err(panic) = spawned {
            forget_panic(panic);
        }
        let kept = fate.compare_exchange(OFFERED, TAKEN, Ordering::AcqRel, Ordering::Acquire);
        if kept == Err(REFUSED) {
            self.crew.lose(&channel);
        }
    }
}

impl<J: ?Sized> Crew<J> {
    fn lose<T: Send + 'static>(&self, channel: &Channel<T>)
    where
        J: Job<T>,
    {
        let lost = channel.take_out();
        if !lost.in_backoff.is_empty() || !lost.waiting.is_empty() {
            self.job.lose(lost.waiting, lost.in_backoff, Loss::NoTasks);
        }
    }
}

/// The runtime has not said yet what it does with the task.
const OFFERED: u8 = 0;
const TAKEN: u8 = 1;
/// The runtime dropped it at once.
const REFUSED: u8 = 2;
const BEGUN: u8 = 3;
const ENDED: u8 = 4;

/// A task's place in its queue.
struct Place<T: Send + Sync + 'static, J: Job<T> + ?Sized> {
    worker: Option<Worker<T>>,
    crew: Arc<Crew<J>>,
    channel: Channel<T>,
    fate: Arc<AtomicU8>,
}

impl<T: Send + Sync + 'static, J: Job<T> + ?Sized> Place<T, J> {
    fn begin(&mut self) -> Option<Worker<T>> {
        self.fate.store(BEGUN, Ordering::Release);
        self.crew.bereft.store(false, Ordering::Relaxed);
        self.worker.take()
    }
}

impl<T: Send + Sync + 'static, J: Job<T> + ?Sized> Drop for Place<T, J> {
    fn drop(&mut self) {
        drop_quietly(self.worker.take());
        let (order, otherwise) = (Ordering::AcqRel, Ordering::Acquire);
        let fate = (self.fate).compare_exchange(OFFERED, REFUSED, order, otherwise);
        let dropped = catch_unwind(AssertUnwindSafe(|| match fate {
            Err(TAKEN) if self.crew.bereft.swap(true, Ordering::Relaxed) => {
                self.crew.lose(&self.channel);
            }
            Err(TAKEN | BEGUN) => {
                self.crew.bereft.store(true, Ordering::Relaxed);
                self.channel.nudge();
            }
            _ => {}
        }));
        if let Err(panic) = dropped {
            forget_panic(panic);
        }
    }
}

impl<J: ?Sized> fmt::Debug for TaskStarter<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStarter")
            .field("retry", &self.crew.retry)
            .finish_non_exhaustive()
    }
}
