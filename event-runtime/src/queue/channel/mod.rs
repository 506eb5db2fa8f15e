//! A bounded channel between emitters and the workers of one listener.
//!
//! Two locks, so that emitters and workers seldom meet: `front` holds what workers take from, `back` what emitters add to. A worker that
//! finds its side empty swaps the lists. Whoever needs both takes `front` first. Users' code runs under neither: items end, wakers wake and
//! clocks are read with the locks released. Every count is plain data under one of the locks, so a reader who holds both sees exact sums.

mod config;
mod feed;
mod intake;
mod line;
mod room;
mod state;
mod stats;
mod take;
mod wakers;
mod worker;

use std::fmt;
use std::sync::{Arc, Weak};

pub use self::config::{Config, Overflow};
pub use self::intake::{Accepted, Refused};
pub use self::room::{Idle, Room};
pub use self::stats::QueueStats;
pub(crate) use self::worker::Outcome;
pub use self::worker::Worker;

use self::feed::Feed;
use self::state::Shared;
use self::wakers::Calls;
use crate::clock::Clock;
use crate::sync::lock;

/// Brings workers to life.
///
/// It is called by whoever offers an item, or by another worker, with no lock held. A worker that cannot be started is dropped: its place
/// is then free again, and the next offer asks anew.
pub trait Start<T: Send + 'static>: Send + Sync {
    /// Runs a worker until it has nothing more to do.
    fn start(&self, worker: Worker<T>);

    /// Whether workers that it started before are in this process. Asked before one is woken or started.
    fn is_here(&self) -> bool {
        true
    }
}

/// What a job keeps for one worker.
pub type Desk = Option<Box<dyn std::any::Any + Send>>;

/// Is told of items that are gone, for who counts them.
pub(crate) trait Ledger: Send + Sync {
    /// A worker finds nothing to do, or ends. So many items that were given out have ended since this was last said, and are dropped. What it
    /// ends while there is more to do is told later: nobody who waits for the last item misses anything.
    /// `desk` is what its job [keeps](crate::queue::Job::run_at) for this worker.
    fn rests(&self, ended: usize, desk: &mut Desk);
}

/// A bounded queue of one listener. It is a handle: clones are the same queue.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use event_runtime::queue::{
///     Attempt, Channel, Config, Job, ParkClock, Retry, Step, ThreadStarter, Threads, Verdict,
/// };
///
/// struct Sum(Mutex<u64>);
///
/// impl Job<u64> for Sum {
///     fn run<'a>(&'a self, items: &'a [u64], _: Attempt) -> Step<'a> {
///         *self.0.lock().unwrap() += items.iter().sum::<u64>();
///         Step::Done(Verdict::Done)
///     }
/// }
///
/// let sum = Arc::new(Sum(Mutex::new(0)));
/// let job = Arc::clone(&sum);
/// let report = |error| panic!("{error}");
/// let start = ThreadStarter::new(Threads::default(), "sum", job, Retry::never(), report);
/// let queue = Channel::new(Config::new(16), Arc::new(ParkClock), Arc::new(start));
///
/// for number in 1..=4 {
///     assert!(queue.offer(0, number).is_ok());
/// }
/// queue.wait_until_idle();
///
/// assert_eq!(*sum.0.lock().unwrap(), 10);
/// assert_eq!((queue.stats().delivered(), queue.stats().depth()), (4, 0));
/// ```
pub struct Channel<T> {
    shared: Arc<Shared<T>>,
}

impl<T: Send + 'static> Channel<T> {
    /// A queue whose workers are brought to life by `start`.
    pub fn new(config: Config, clock: Arc<dyn Clock>, start: Arc<dyn Start<T>>) -> Self {
        Self {
            shared: Arc::new(Shared::new(config, clock, start, None)),
        }
    }

    /// A queue that tells of the end of what its workers had or it had itself at its end. What is handed back is the caller's to count.
    pub(crate) fn with_ledger(
        config: Config,
        clock: Arc<dyn Clock>,
        start: Arc<dyn Start<T>>,
        ledger: Arc<dyn Ledger>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared::new(config, clock, start, Some(ledger))),
        }
    }

    /// Ends the intake: offers are refused as closed, and whoever waits for room is woken to be told so. What was accepted still runs.
    pub fn close(&self) {
        let mut calls = Calls::default();
        {
            let mut back = lock(&self.shared.back);
            back.closed = true;
            calls.wake.extend(back.line.wakers());
            calls.wake.extend(back.sleepers.take_all());
        }
        self.make(calls);
        self.nudge();
    }

    /// Whether the intake has ended.
    pub fn is_closed(&self) -> bool {
        lock(&self.shared.back).closed
    }

    /// Takes out all that has not begun and all that waits for a retry, for a report. What runs goes on.
    ///
    /// Usually the queue was [closed](Self::close) before.
    #[must_use = "these items are lost otherwise"]
    pub fn abandon(&self) -> Vec<T> {
        let Abandoned {
            mut in_backoff,
            waiting,
            ..
        } = self.take_out();
        in_backoff.extend(waiting);
        in_backoff
    }

    pub(crate) fn take_out(&self) -> Abandoned<T> {
        let mut calls = Calls::default();
        let (mut items, mut waiting) = (Vec::new(), Vec::new());
        let taken;
        {
            let mut front = lock(&self.shared.front);
            let mut back = lock(&self.shared.back);
            for delayed in std::mem::take(&mut front.delayed).into_values() {
                front.feed.free(delayed.key);
                items.extend(delayed.items);
            }
            for held in std::mem::take(&mut front.held).into_values() {
                items.extend(held.delayed.items);
                calls.wake.extend(held.waker);
            }
            debug_assert_eq!(items.len(), front.in_backoff);
            front.in_backoff = 0;
            front.minder = None;
            front.feed.take_all(&mut waiting);
            waiting.extend(std::mem::take(&mut back.list));
            self.shared.leave(waiting.len());
            front.abandoned += (items.len() + waiting.len()) as u64;
            taken = front.begun;
            front.room_wanted = false;
            front.taken = true;
            // Each looks for room itself: it may be that nobody works here any more.
            calls.wake.extend(back.line.wakers());
            if front.running == 0 {
                calls.wake.extend(back.idle.take_all());
            }
            // Those who waited for a retry wait for nothing now.
            calls.wake.extend(back.sleepers.take_all());
        }
        self.make(calls);
        Abandoned {
            in_backoff: items,
            waiting,
            taken,
        }
    }

    /// Items that a worker has [carried off](Worker::carry_off) have ended. Not for a queue with keys, which wait for each other.
    pub(crate) fn end(&self, outcome: Outcome, items: usize) {
        let mut calls = Calls::default();
        {
            let mut front = lock(&self.shared.front);
            front.running -= items;
            *front.counter(outcome) += items as u64;
            let mut back = lock(&self.shared.back);
            if Shared::is_idle(&front, &back) {
                calls.wake.extend(back.idle.take_all());
            }
        }
        self.make(calls);
    }

    /// Sees to it that somebody works if there is work, for instance after a worker could not be started.
    ///
    /// Says whether a worker had to be asked for.
    pub fn nudge(&self) -> bool {
        let mut calls = Calls::default();
        {
            let front = lock(&self.shared.front);
            let mut back = lock(&self.shared.back);
            if Shared::has_work(&front, &back) {
                self.shared.call_worker(&mut back, &mut calls);
            }
        }
        let asked = calls.start.is_some();
        self.make(calls);
        asked
    }

    /// Whether there is work and nobody for it, though another worker may be asked for; and whether there is no worker at all.
    pub(crate) fn wants_worker(&self) -> Option<Wanting> {
        let front = lock(&self.shared.front);
        let back = lock(&self.shared.back);
        let wants = Shared::has_work(&front, &back)
            && back.sleepers.is_empty()
            && back.workers < self.shared.config.workers;
        wants.then_some(Wanting {
            has_none: back.workers == 0,
        })
    }

    /// Whether that many offers, at least one, would find room now.
    pub(crate) fn has_room(&self, offers: usize) -> bool {
        let mut back = lock(&self.shared.back);
        let room = self.shared.config.capacity - self.shared.depth(&mut back);
        back.closed || room >= offers.max(1)
    }

    pub(crate) fn has_workers_here(&self) -> bool {
        self.shared.start.is_here()
    }

    pub(crate) fn downgrade(&self) -> WeakChannel<T> {
        WeakChannel(Arc::downgrade(&self.shared))
    }

    /// The figures of this moment.
    pub fn stats(&self) -> QueueStats {
        let now = self.shared.clock.now();
        let front = lock(&self.shared.front);
        let mut back = lock(&self.shared.back);
        let depth = self.shared.depth(&mut back);
        let oldest = match &front.feed {
            Feed::Keyed(keyed) => keyed.oldest().unwrap_or(back.entered),
            Feed::Plain(_) => back.left_seen,
        };
        let since = back.marks.of(oldest).filter(|_| depth > 0);
        QueueStats {
            depth,
            high_water: back.high_water,
            oldest: since.map(|since| now.saturating_duration_since(since)),
            offered: back.offered,
            delivered: front.delivered,
            skipped: front.skipped,
            failed: front.failed,
            dropped: back.dropped,
            rejected: back.rejected,
            abandoned: front.abandoned,
            retried: front.retried,
            in_flight: front.running,
            in_backoff: front.in_backoff,
            workers: back.workers,
        }
    }

    /// The shape it was made with.
    pub fn config(&self) -> Config {
        self.shared.config
    }

    /// Does what the locks were released for.
    fn make(&self, calls: Calls) {
        for waker in calls.wake {
            waker.wake();
        }
        if let Some(number) = calls.start {
            self.start(number);
        }
    }

    #[cold]
    fn start(&self, number: u64) {
        let worker = Worker::new(self.clone(), number);
        self.shared.start.start(worker);
    }
}

/// What was taken out of a queue.
pub(crate) struct Abandoned<T> {
    pub(crate) in_backoff: Vec<T>,
    pub(crate) waiting: Vec<T>,
    /// How many items were given to workers before, ever.
    pub(crate) taken: u64,
}

/// A queue that wants one more worker.
pub(crate) struct Wanting {
    /// It has none at all.
    pub(crate) has_none: bool,
}

/// A handle that does not keep the queue.
pub(crate) struct WeakChannel<T>(Weak<Shared<T>>);

impl<T> WeakChannel<T> {
    pub(crate) fn upgrade(&self) -> Option<Channel<T>> {
        self.0.upgrade().map(|shared| Channel { shared })
    }

    /// The same for all handles of one queue.
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

impl<T> Clone for Channel<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
