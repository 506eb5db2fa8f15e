//! The one loop of all workers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use event_core::private::after;

use super::backoff::Retry;
use super::channel::{Desk, Outcome, Worker};
use super::quiet::{drop_quietly, forget_panic};

/// A future of a job.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a listener does with the items of its queue.
pub trait Job<T>: Send + Sync + 'static {
    /// Runs on what the queue gives at once: one item, or up to the batch size, of one key. They are never none.
    ///
    /// A panic counts as failed; who wants to report it catches it here.
    fn run<'a>(&'a self, items: &'a [T], attempt: Attempt) -> Step<'a>;

    /// The same on behalf of a worker, for which the job may keep something from call to call.
    fn run_at<'a>(&'a self, desk: &mut Desk, items: &'a [T], attempt: Attempt) -> Step<'a> {
        let _ = desk;
        self.run(items, attempt)
    }

    /// Takes what nobody will run, for a report: what has not begun, and what waited for its next try. By default it is dropped.
    fn lose(&self, waiting: Vec<T>, in_backoff: Vec<T>, why: Loss) {
        let _ = why;
        waiting.into_iter().chain(in_backoff).for_each(drop_quietly);
    }
}

/// Why items of a queue that is not closed are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The runtime of the workers drops every task.
    NoTasks,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoTasks => {
                "the runtime takes no tasks any more, so the queue has no workers: shut the bus down before its runtime"
            }
        })
    }
}

/// Which run of an item this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// How often the item ran before.
    pub number: u32,
    /// Whether [`Verdict::Retry`] would count as failed.
    pub last: bool,
}

/// How far a job came in its call.
#[non_exhaustive]
pub enum Step<'a> {
    /// To its end.
    Done(Verdict),
    /// The rest is async.
    Later(BoxFuture<'a, Verdict>),
}

impl std::fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(verdict) => f.debug_tuple("Done").field(verdict).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// What became of the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// They are delivered.
    Done,
    /// A condition kept them from the listener.
    Skipped,
    /// They failed for good.
    Failed,
    /// They failed and shall be tried again.
    Retry,
    /// They were given up before the listener was called.
    Abandoned,
}

/// Where a worker runs, which says when it may end and when it must.
pub(super) trait Shift: Send + Sync {
    /// Whether it may end when there is nothing to do.
    fn may_end(&self) -> bool;

    /// Whether it has to make room for other queues, although there is something to do.
    fn must_end(&self) -> bool {
        false
    }

    /// After how many batches it lets other tasks of its thread run.
    fn turn(&self) -> u32 {
        YIELD_EVERY
    }
}

/// Enough to make the change of tasks cheap.
pub(super) const YIELD_EVERY: u32 = 64;

/// Works until there is nothing to do.
pub(super) async fn work<T: Send + Sync + 'static, J: Job<T> + ?Sized>(
    mut worker: Worker<T>,
    job: &J,
    retry: &Retry,
    shift: &impl Shift,
) {
    let may_end = || shift.may_end();
    let mut ran = 0;
    while worker.take_on() || worker.next(&may_end).await {
        let attempt = Attempt {
            number: worker.attempt(),
            last: worker.attempt() >= retry.limit,
        };
        let (items, desk) = worker.at_work();
        let verdict = run(job, desk, items, attempt).await;
        let outcome = match verdict {
            Verdict::Done => Outcome::Delivered,
            Verdict::Skipped => Outcome::Skipped,
            Verdict::Abandoned => Outcome::Abandoned,
            Verdict::Retry if !attempt.last => {
                let now = worker.now();
                let delay = retry.backoff.delay(attempt.number);
                worker.retry_at(after(now, delay));
                continue;
            }
            Verdict::Failed | Verdict::Retry => Outcome::Failed,
        };
        worker.finish(outcome);
        if shift.must_end() {
            break;
        }
        ran += 1;
        if ran % shift.turn() == 0 {
            worker.rest();
            Yield(false).await;
        }
    }
}

async fn run<T, J: Job<T> + ?Sized>(
    job: &J,
    desk: &mut Desk,
    items: &[T],
    attempt: Attempt,
) -> Verdict {
    let step = catch_unwind(AssertUnwindSafe(|| job.run_at(desk, items, attempt)));
    let ended = match step {
        Ok(Step::Done(verdict)) => Ok(verdict),
        Ok(Step::Later(future)) => {
            let mut future = Guarded(future);
            let ended = Pin::new(&mut future).await;
            drop_quietly(future);
            ended
        }
        Err(panic) => Err(panic),
    };
    ended.unwrap_or_else(|panic| {
        forget_panic(panic);
        Verdict::Failed
    })
}

/// A future whose panic is a value.
struct Guarded<'a>(BoxFuture<'a, Verdict>);

impl Future for Guarded<'_> {
    type Output = std::thread::Result<Verdict>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// Gives way once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
