//! How deliveries are carried that outlive their emission.

use std::fmt;
use std::time::Duration;

use crate::listener::timed::Timed;

/// What becomes of a delivery while another one of the same async listener runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overlap {
    /// It runs beside the other, up to the limit (the default).
    #[default]
    Parallel,
    /// It waits for its turn; the deliveries run one after another in the order of the emissions.
    Serial,
    /// The other is ended at its next `.await` and counted as skipped, and this one runs.
    Latest,
    /// It is skipped.
    Drop,
}

/// The word that the attribute has for it.
impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Overlap::Parallel => "parallel",
            Overlap::Serial => "serial",
            Overlap::Latest => "latest",
            Overlap::Drop => "drop",
        })
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Overflow::Block => "block",
            Overflow::Reject => "reject",
            Overflow::DropOldest => "drop_oldest",
            Overflow::DropNewest => "drop_newest",
        })
    }
}

/// How the deliveries of one listener are carried: what its attribute says, or what [`tune`](crate::BusBuilder::tune) made of it.
///
/// What makes no sense is refused when the bus is built, as [`InvalidPolicy`](crate::Code::InvalidPolicy): a number or a time of zero, a `backoff`
/// whose shortest time is longer than its longest, and a `limit` or an `overlap` for a listener behind a queue, whose rules are `workers` and the
/// queue, or for a timed one, whose deliveries run one after another.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use tidings::{Bus, Overlap, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener(limit = 8)]
/// async fn confirm(_: &Placed) {}
///
/// let bus = Bus::builder()
///     .tune(confirm, |policy| {
///         assert_eq!((policy.max_in_flight(), policy.on_overlap()), (8, Overlap::Parallel));
///         let tuned = policy.overlap(Overlap::Serial).timeout(Duration::from_secs(5));
///         assert_eq!(tuned.time_limit(), Some(Duration::from_secs(5)));
///         tuned
///     })
///     .build()?;
/// # drop(bus);
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub(crate) limit: usize,
    pub(crate) overlap: Overlap,
    pub(crate) timeout: Option<Duration>,
    pub(crate) queue: Option<usize>,
    pub(crate) workers: usize,
    pub(crate) batch: usize,
    pub(crate) overflow: Overflow,
    pub(crate) retries: u32,
    pub(crate) backoff: (Duration, Duration),
    pub(crate) timed: Timed,
}

/// What a full queue does with one more delivery.
///
/// ```standalone_crate
/// use std::sync::{Mutex, mpsc};
/// use tidings::{Bus, FailureKind, Overflow, event, listener};
///
/// #[event]
/// struct Scanned;
///
/// /// Waits for a sheet of paper.
/// #[listener(queue = 2)]
/// fn print(_: &Scanned, paper: &Mutex<mpsc::Receiver<()>>) {
///     let _ = paper.lock().unwrap().recv();
/// }
///
/// let (_refill, paper) = mpsc::channel::<()>();
/// let bus = Bus::builder()
///     .state(Mutex::new(paper))
///     .tune(print, |policy| policy.overflow(Overflow::Reject))
///     .build()?;
///
/// // One is printed and two wait, so the fourth has no place.
/// let mut failures = Vec::new();
/// for _ in 0..4 {
///     failures.extend(bus.emit(Scanned).report().failures().first().map(|f| f.kind()));
/// }
/// assert_eq!(failures.pop(), Some(FailureKind::QueueFull));
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// An emission made outside of every listener waits for room, any other one fails with [`QueueFull`](crate::FailureKind::QueueFull)
    /// (the default).
    #[default]
    Block,
    /// The emission fails with [`QueueFull`](crate::FailureKind::QueueFull).
    Reject,
    /// The delivery that has waited longest is dropped for it, and counted.
    DropOldest,
    /// It is dropped, and counted.
    DropNewest,
}

impl Policy {
    /// That of an async listener whose attribute says nothing else.
    #[doc(hidden)]
    pub const fn asynchronous() -> Self {
        Self {
            limit: 1024,
            overlap: Overlap::Parallel,
            timeout: None,
            queue: None,
            workers: 1,
            batch: 1,
            overflow: Overflow::Block,
            retries: 0,
            backoff: (Duration::from_millis(100), Duration::from_secs(5)),
            timed: Timed::NONE,
        }
    }

    /// That of a listener behind a queue.
    #[doc(hidden)]
    pub const fn queued(capacity: usize) -> Self {
        Self::asynchronous().queue(capacity)
    }

    /// At most `capacity` deliveries wait. It makes a queue larger or smaller, and says nothing of a listener that has none.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener(queue = 1024)]
    /// fn book(_: &Placed) {}
    ///
    /// let bus = Bus::builder().tune(book, |policy| policy.queue(1)).build()?;
    /// for _ in 0..100 {
    ///     bus.emit(Placed);
    /// }
    /// assert!(bus.shutdown_blocking(Duration::from_secs(5))?.is_clean());
    ///
    /// let figures = bus.queues()[0].1;
    /// assert_eq!((figures.delivered, figures.high_water), (100, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn queue(mut self, capacity: usize) -> Self {
        self.queue = Some(capacity);
        self
    }

    /// At most `workers` deliveries of the queue run at the same time, 1 by default.
    #[must_use]
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// One call of a listener that takes `&[&E]` is given at most `batch` events: those that wait, and it waits for no more. It says
    /// nothing of a listener that takes one event.
    ///
    /// ```standalone_crate
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use std::time::Duration;
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// #[listener(queue = 1024, batch = 64)]
    /// fn index(orders: &[&Placed], most: &AtomicUsize) {
    ///     most.fetch_max(orders.len(), Ordering::Relaxed);
    /// }
    ///
    /// let most = std::sync::Arc::new(AtomicUsize::new(0));
    /// let builder = Bus::builder().state(std::sync::Arc::clone(&most));
    /// let bus = builder.tune(index, |policy| policy.batch(2)).build()?;
    /// for _ in 0..100 {
    ///     bus.emit(Placed);
    /// }
    /// assert!(bus.shutdown_blocking(Duration::from_secs(5))?.is_clean());
    ///
    /// assert_eq!(bus.queues()[0].1.delivered, 100);
    /// assert!((1..=2).contains(&most.load(Ordering::Relaxed)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// What happens when the queue is full, [`Overflow::Block`] by default.
    #[must_use]
    pub const fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// A delivery that returned an error is tried again up to `times` times, 0 by default. Meanwhile its key waits, or its worker.
    #[must_use]
    pub const fn retry(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// The time before a retry, 100 ms to 5 s by default: `min` before the first, then drawn between `min` and a ceiling that doubles with every
    /// further retry, up to `max`.
    #[must_use]
    pub const fn backoff(mut self, min: Duration, max: Duration) -> Self {
        self.backoff = (min, max);
        self
    }

    /// At most `limit` deliveries run at the same time, 1024 by default. With [`Overlap::Serial`] it is how many may run and
    /// wait together.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// What becomes of a delivery while another one runs.
    #[must_use]
    pub const fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// Ends a delivery at an `.await` when it has run for `time`, and reports it as [`TimedOut`](crate::FailureKind::TimedOut).
    #[must_use]
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }
}

/// What it says.
impl Policy {
    /// How many deliveries may run at the same time; with [`Overlap::Serial`], run and wait together.
    pub const fn max_in_flight(&self) -> usize {
        self.limit
    }

    /// What becomes of a delivery while another one runs.
    pub const fn on_overlap(&self) -> Overlap {
        self.overlap
    }

    /// How many deliveries may wait in the queue, if the listener has one.
    pub const fn queue_capacity(&self) -> Option<usize> {
        self.queue
    }

    /// How many deliveries of the queue may run at the same time.
    pub const fn max_workers(&self) -> usize {
        self.workers
    }

    /// How many events one call is given at most, if the listener takes several.
    pub const fn max_batch(&self) -> usize {
        self.batch
    }

    /// What happens when the queue is full.
    pub const fn on_overflow(&self) -> Overflow {
        self.overflow
    }

    /// How often a delivery of the queue is tried again.
    pub const fn max_retries(&self) -> u32 {
        self.retries
    }

    /// The shortest and the longest time before a retry.
    pub const fn retry_backoff(&self) -> (Duration, Duration) {
        self.backoff
    }

    /// For how long a delivery may run, if there is an end to it.
    pub const fn time_limit(&self) -> Option<Duration> {
        self.timeout
    }
}

/// What makes no sense.
impl Policy {
    /// What is wrong with what was made of the policy `from`, and what to do instead.
    pub(crate) fn mistakes(&self, from: &Self) -> Vec<(String, &'static str)> {
        let mut mistakes = Vec::new();
        let numbers = [
            ("limit", self.limit),
            ("queue", self.queue.unwrap_or(1)),
            ("workers", self.workers),
            ("batch", self.batch),
        ];
        for (name, _) in numbers.iter().filter(|(_, number)| *number == 0) {
            mistakes.push((format!("to a `{name}` of zero"), "write at least 1"));
        }
        if self.timeout.is_some_and(|time| time.is_zero()) {
            let what = "to a `timeout` of zero, which ends every delivery".to_owned();
            mistakes.push((what, "write a longer time"));
        }
        for what in self.timed.zeros() {
            mistakes.push((format!("to {what} of zero"), "write a longer time"));
        }
        let (min, max) = self.backoff;
        if min.is_zero() || max.is_zero() {
            let what = format!("to a `backoff` of {min:?} to {max:?}, which is no wait");
            mistakes.push((what, "write longer times"));
        } else if min > max {
            let what = format!(
                "to a `backoff` whose shortest time ({min:?}) is longer than its longest ({max:?})"
            );
            mistakes.push((what, "exchange the two times"));
        }
        let not_here = if from.timed.is_any() {
            Some((
                "a timed listener",
                "remove it: its deliveries run one after another",
            ))
        } else if from.queue.is_some() {
            Some((
                "a queue",
                "write `workers` for how many deliveries run at a time",
            ))
        } else {
            None
        };
        if let Some((whose, help)) = not_here {
            if self.limit != from.limit {
                mistakes.push((format!("to a `limit`, which says nothing of {whose}"), help));
            }
            if self.overlap != from.overlap {
                let what = format!("to an `overlap`, which says nothing of {whose}");
                mistakes.push((what, help));
            }
        }
        mistakes
    }
}
