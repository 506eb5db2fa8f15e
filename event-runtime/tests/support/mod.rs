//! Jobs, a runtime that runs by hand and a clock that is set by hand.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use event_core::{Runtime, Task};
use event_runtime::queue::{
    Accepted, Attempt, Backoff, Channel, Config, Job, ParkClock, QueueStats, Refused, Retry, Step,
    TaskStarter, ThreadStarter, Threads, Verdict,
};
use event_runtime::{Clock, Sleep};

/// A closure as a job.
pub(crate) struct Call<F>(pub(crate) F);

impl<T, F> Job<T> for Call<F>
where
    F: Fn(&[T], Attempt) -> Step<'static> + Send + Sync + 'static,
{
    fn run<'a>(&'a self, items: &'a [T], attempt: Attempt) -> Step<'a> {
        (self.0)(items, attempt)
    }
}

/// A queue on threads; its job is sync.
pub(crate) fn on_threads<T: Send + Sync + 'static>(
    config: Config,
    threads: &Threads,
    retry: Retry,
    job: impl Fn(&[T], Attempt) -> Verdict + Send + Sync + 'static,
) -> Channel<T> {
    let job = Call(move |items: &[T], attempt| Step::Done(job(items, attempt)));
    let start = ThreadStarter::new(threads.clone(), "test", Arc::new(job), retry, |_| {});
    Channel::new(config, Arc::new(ParkClock), Arc::new(start))
}

/// A queue on a runtime that runs by hand.
pub(crate) fn on_tasks<T: Send + Sync + 'static>(
    config: Config,
    hand: &Arc<Hand>,
    retry: Retry,
    job: impl Fn(&[T], Attempt) -> Step<'static> + Send + Sync + 'static,
) -> Channel<T> {
    let runtime: Arc<dyn Runtime> = Arc::new(ByHand(Arc::clone(hand)));
    let start = TaskStarter::new(runtime, Arc::new(Call(job)), retry);
    Channel::new(
        config,
        Arc::new(HandClock(Arc::clone(hand))),
        Arc::new(start),
    )
}

/// Waits of exactly this long, since both ends are the same.
pub(crate) fn every(limit: u32, wait: Duration) -> Retry {
    Retry::new(limit, Backoff::new(wait, wait))
}

/// Offers until there is room.
pub(crate) fn offer_patiently<T: Send + 'static>(channel: &Channel<T>, key: u64, item: T) {
    match channel.offer(key, item) {
        Ok(accepted) => drop(accepted),
        Err(Refused::Full(item)) => {
            let waited = channel.wait_here(key, item);
            assert!(waited.is_ok(), "it was closed");
        }
        Err(refused) => panic!("{refused:?}"),
    }
}

/// The item was accepted and displaced none.
#[track_caller]
pub(crate) fn accept<T: Send + 'static>(channel: &Channel<T>, key: u64, item: T) {
    match channel.offer(key, item) {
        Ok(Accepted {
            displaced: None, ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

/// The sum that must always hold.
#[track_caller]
pub(crate) fn check(stats: QueueStats) {
    let moving = stats.depth() + stats.in_flight() + stats.in_backoff();
    let ended = stats.delivered()
        + stats.skipped()
        + stats.failed()
        + stats.dropped()
        + stats.rejected()
        + stats.abandoned();
    assert_eq!(stats.offered(), ended + moving as u64, "{stats:?}");
}

/// Polls once, with a waker that does nothing.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A waker that tells whether it was woken.
#[derive(Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn is_up(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Running {
    task: Mutex<Option<Task>>,
    woken: Arc<Flag>,
}

/// Tasks and a clock in the hand of the test.
pub(crate) struct Hand {
    tasks: Mutex<Vec<Arc<Running>>>,
    now: Mutex<Instant>,
    sleepers: Mutex<Vec<(Instant, Waker)>>,
    random: Mutex<fastrand::Rng>,
}

impl Hand {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            tasks: Mutex::default(),
            now: Mutex::new(Instant::now()),
            sleepers: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
        })
    }

    /// Polls one of the woken tasks, which one is chance; `false` if none is.
    pub(crate) fn step(&self) -> bool {
        let ready: Vec<_> = {
            let tasks = self.tasks.lock().unwrap();
            let ready = tasks.iter().filter(|task| task.woken.is_up());
            ready.map(Arc::clone).collect()
        };
        if ready.is_empty() {
            return false;
        }
        let chosen = self.random.lock().unwrap().usize(..ready.len());
        let running = &ready[chosen];
        running.woken.take();
        let mut task = running.task.lock().unwrap();
        let ended = task
            .as_mut()
            .is_none_or(|task| running.woken.poll(task).is_ready());
        if ended {
            *task = None;
            let mut tasks = self.tasks.lock().unwrap();
            tasks.retain(|other| !Arc::ptr_eq(other, running));
        }
        true
    }

    pub(crate) fn run(&self) {
        while self.step() {}
    }

    pub(crate) fn tasks(&self) -> usize {
        self.tasks.lock().unwrap().len()
    }

    /// Drops all tasks, as a runtime that ends does.
    pub(crate) fn end(&self) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        drop(tasks);
    }

    pub(crate) fn advance(&self, by: Duration) {
        let now = {
            let mut now = self.now.lock().unwrap();
            *now += by;
            *now
        };
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut *self.sleepers.lock().unwrap())
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.sleepers.lock().unwrap().extend(later);
        for (_, waker) in due {
            waker.wake();
        }
    }

    pub(crate) fn chance(&self, below: u64) -> u64 {
        self.random.lock().unwrap().u64(..below)
    }
}

struct ByHand(Arc<Hand>);

impl Runtime for ByHand {
    fn spawn(&self, task: Task) {
        let woken = Arc::new(Flag::default());
        Arc::clone(&woken).wake();
        let task = Mutex::new(Some(task));
        let running = Arc::new(Running { task, woken });
        self.0.tasks.lock().unwrap().push(running);
    }
}

struct HandClock(Arc<Hand>);

impl Clock for HandClock {
    fn now(&self) -> Instant {
        *self.0.now.lock().unwrap()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        let hand = Arc::clone(&self.0);
        Box::pin(std::future::poll_fn(move |cx| {
            if *hand.now.lock().unwrap() >= at {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            hand.sleepers.lock().unwrap().push((at, waker));
            Poll::Pending
        }))
    }
}

/// A door that a job waits at until the test opens it.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    changed: std::sync::Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    pub(crate) fn pass(&self) {
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.changed.wait(open).unwrap();
        }
    }
}

/// What happened, in order.
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Log<T> {
    pub(crate) fn add(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
