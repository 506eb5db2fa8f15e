//! Workers as threads, within one limit.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::backoff::Retry;
use super::channel::{Start, Worker};
use super::park::{Patience, drive};
use super::pool::{Permit, Pool, Seat, Threads};
use super::quiet::forget_panic;
use super::worker::{Job, Shift, work};

/// How long a busy worker runs before it gives way to a queue without any.
const TURN: Duration = Duration::from_millis(10);

/// A worker could not be started. The queue keeps its items and asks again with the next offer and when a thread ends.
#[derive(Debug)]
pub struct StartError {
    listener: String,
    kind: StartErrorKind,
}

/// Why a worker could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartErrorKind {
    /// All threads of the bus run.
    Exhausted {
        /// How many that are.
        limit: usize,
    },
    /// The system refused.
    System(std::io::Error),
}

impl StartError {
    /// The listener whose queue has to wait.
    pub fn listener(&self) -> &str {
        &self.listener
    }

    /// What happened.
    pub fn kind(&self) -> &StartErrorKind {
        &self.kind
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listener = &self.listener;
        write!(
            f,
            "no thread could be started for the queue of listener `{listener}`: "
        )?;
        match &self.kind {
            StartErrorKind::Exhausted { limit } => {
                write!(f, "all {limit} threads of the bus are in use")
            }
            StartErrorKind::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            StartErrorKind::Exhausted { .. } => None,
            // Its words are in these.
            StartErrorKind::System(error) => error.source(),
        }
    }
}

/// Runs workers on threads. A thread parks while there is nothing to do and ends after a while.
pub struct ThreadStarter<J: ?Sized> {
    threads: Threads,
    listener: String,
    retry: Arc<Retry>,
    report: Box<dyn Fn(StartError) + Send + Sync>,
    reported: AtomicBool,
    job: Arc<J>,
}

impl<J: ?Sized> ThreadStarter<J> {
    /// Threads named after the listener. The first failure to start one is reported, the next ones only after a start has succeeded.
    pub fn new(
        threads: Threads,
        listener: &str,
        job: Arc<J>,
        retry: Retry,
        report: impl Fn(StartError) + Send + Sync + 'static,
    ) -> Self {
        Self {
            threads,
            listener: listener.to_owned(),
            retry: Arc::new(retry),
            report: Box::new(report),
            reported: AtomicBool::new(false),
            job,
        }
    }

    /// How many threads had ended comes with the error, for the queue to see whether it missed one.
    fn spawn<T: Send + Sync + 'static>(
        &self,
        worker: Worker<T>,
    ) -> Result<(), (StartErrorKind, u64)>
    where
        J: Job<T>,
    {
        let pool = &self.threads.pool;
        let permit = pool.permit().map_err(|ended| {
            let limit = pool.limit;
            (StartErrorKind::Exhausted { limit }, ended)
        })?;
        let ended = permit.ended;
        let (job, retry) = (Arc::clone(&self.job), Arc::clone(&self.retry));
        // A name with a NUL would be a panic.
        let name = format!("tidings:{}", self.listener).replace('\0', "");
        std::thread::Builder::new()
            .name(name)
            .spawn(move || run(worker, permit, &*job, &retry))
            .map(drop)
            .map_err(|error| (StartErrorKind::System(error), ended))
    }
}

impl<T: Send + Sync + 'static, J: Job<T> + ?Sized> Start<T> for ThreadStarter<J> {
    fn start(&self, worker: Worker<T>) {
        let channel = worker.channel().clone();
        let pool = &self.threads.pool;
        match self.spawn(worker) {
            Ok(()) => {
                self.reported.store(false, Ordering::Relaxed);
                if pool.crowded.load(Ordering::Relaxed) && channel.wants_worker().is_none() {
                    pool.forget(&channel.downgrade());
                }
            }
            Err((kind, ended)) => {
                if !self.reported.swap(true, Ordering::Relaxed) {
                    (self.report)(StartError {
                        listener: self.listener.clone(),
                        kind,
                    });
                }
                pool.wait(&channel, ended);
            }
        }
    }

    fn is_here(&self) -> bool {
        self.threads.pool.is_here()
    }
}

/// A thread's life.
fn run<T: Send + Sync + 'static, J: Job<T> + ?Sized>(
    worker: Worker<T>,
    mut permit: Permit,
    job: &J,
    retry: &Retry,
) {
    let channel = worker.channel().clone();
    let seat = permit.sit_down();
    let shift = OnThread {
        pool: &permit.pool,
        seat: &seat,
        since: Instant::now(),
    };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let work = pin!(work(worker, job, retry, &shift));
        drive(work, &seat.bell, &shift);
    }));
    if let Err(panic) = ended {
        forget_panic(panic);
    }
    // It gave way, or panicked where nothing should: what is left waits for its next turn.
    if let Some(wanting) = channel.wants_worker() {
        permit.pool.enqueue(&channel, wanting.has_none);
    }
}

struct OnThread<'a> {
    pool: &'a Pool,
    seat: &'a Seat,
    since: Instant,
}

impl Shift for OnThread<'_> {
    fn may_end(&self) -> bool {
        self.seat.leave.swap(false, Ordering::Relaxed) || self.pool.crowded.load(Ordering::SeqCst)
    }

    fn must_end(&self) -> bool {
        self.pool.starving.load(Ordering::Relaxed) && self.since.elapsed() >= TURN
    }
}

impl Patience for OnThread<'_> {
    fn limit(&self) -> Option<Duration> {
        Some(self.pool.idle)
    }

    fn parks(&self) -> bool {
        // Either this thread sees that others wait, or they see that it parks.
        self.seat.parked.store(true, Ordering::SeqCst);
        self.pool.crowded.load(Ordering::SeqCst)
    }

    fn woke(&self) {
        self.seat.parked.store(false, Ordering::Relaxed);
    }

    fn ran_out(&self) {
        self.seat.leave.store(true, Ordering::Relaxed);
    }
}

impl<J: ?Sized> fmt::Debug for ThreadStarter<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadStarter")
            .field("listener", &self.listener)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
