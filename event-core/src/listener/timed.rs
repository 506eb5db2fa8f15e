//! What an attribute says of times: `every`, `debounce`, `throttle`.

use std::fmt;
use std::time::{Duration, Instant};

use crate::listener::policy::Policy;

/// What becomes of ticks that could not come in time, because the one before still ran, the clock jumped or the event loop was busy. As tokio's
/// `MissedTickBehavior`.
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
/// use tidings::{Bus, Missed, VirtualRuntime, listener};
///
/// #[listener(every = "10s", missed = "burst")]
/// fn count(ticks: &AtomicU32) {
///     ticks.fetch_add(1, Ordering::Relaxed);
/// }
///
/// let ticks_of = |missed| {
///     let (time, ticks) = (VirtualRuntime::new(), Arc::new(AtomicU32::new(0)));
///     let builder = Bus::builder().state(Arc::clone(&ticks)).runtime(time.clone());
///     let _bus = builder.tune(count, move |policy| policy.missed(missed)).build().unwrap();
///     // Whoever has this thread keeps it for 35 s, so those of 10, 20 and 30 s are late, and the one of 40 s is not.
///     time.pass(Duration::from_secs(35));
///     time.advance(Duration::from_secs(6));
///     ticks.load(Ordering::Relaxed)
/// };
/// assert_eq!(ticks_of(Missed::Burst), 4);
/// assert_eq!(ticks_of(Missed::Skip), 2);
/// assert_eq!(ticks_of(Missed::Delay), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Missed {
    /// One comes at once, the others never, and the next comes when it would have come (the default).
    #[default]
    Skip,
    /// All come, one after another, until the ticks are in time again.
    Burst,
    /// One comes at once, and the next a period after that.
    Delay,
}

impl Missed {
    /// When the next one is due after that of `due`, of which it is `now`; none if no clock reaches it.
    #[doc(hidden)]
    pub fn next(self, due: Instant, period: Duration, now: Instant) -> Option<Instant> {
        match self {
            Missed::Burst => due.checked_add(period),
            Missed::Delay => now.checked_add(period),
            Missed::Skip => {
                let late = now.saturating_duration_since(due).as_nanos();
                let into = u64::try_from(late % period.as_nanos().max(1)).unwrap_or(u64::MAX);
                // The last whole period that has begun, and one more.
                let begun = now.checked_sub(Duration::from_nanos(into)).unwrap_or(now);
                begun.checked_add(period)
            }
        }
    }
}

/// The word that the attribute has for it.
impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Missed::Skip => "skip",
            Missed::Burst => "burst",
            Missed::Delay => "delay",
        })
    }
}

/// The part of a policy that is about times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timed {
    every: Option<Duration>,
    missed: Missed,
    debounce: Option<Duration>,
    throttle: Option<Duration>,
}

impl Timed {
    pub(crate) const NONE: Self = Self {
        every: None,
        missed: Missed::Skip,
        debounce: None,
        throttle: None,
    };

    pub(crate) fn is_any(&self) -> bool {
        self.every.or(self.debounce).or(self.throttle).is_some()
    }

    /// The keys that were given no time at all.
    pub(crate) fn zeros(&self) -> impl Iterator<Item = &'static str> {
        let times = [
            ("an `every`", self.every),
            ("a `debounce`", self.debounce),
            ("a `throttle`", self.throttle),
        ];
        let zero = |(name, time): (_, Option<Duration>)| time?.is_zero().then_some(name);
        times.into_iter().filter_map(zero)
    }
}

impl Policy {
    /// A listener with `every` is called at the end of each `period`. It changes a period, and says nothing of a listener that has none.
    ///
    /// ```standalone_crate
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    /// use tidings::{Bus, VirtualRuntime, listener};
    ///
    /// #[listener(every = "1h")]
    /// fn clean(times: &AtomicU32) {
    ///     times.fetch_add(1, Ordering::Relaxed);
    /// }
    ///
    /// let (time, times) = (VirtualRuntime::new(), Arc::new(AtomicU32::new(0)));
    /// let builder = Bus::builder().state(Arc::clone(&times)).runtime(time.clone());
    /// let bus = builder
    ///     .tune(clean, |policy| policy.every(policy.period().unwrap() / 60))
    ///     .build()?;
    /// time.advance(Duration::from_secs(3600));
    /// assert_eq!(times.load(Ordering::Relaxed), 60);
    /// # drop(bus);
    /// # Ok::<(), tidings::BuildError>(())
    /// ```
    #[must_use]
    pub const fn every(mut self, period: Duration) -> Self {
        self.timed.every = Some(period);
        self
    }

    /// What becomes of ticks that could not come in time, [`Missed::Skip`] by default.
    #[must_use]
    pub const fn missed(mut self, missed: Missed) -> Self {
        self.timed.missed = missed;
        self
    }

    /// A listener with `debounce` is given the last event once none came for `time`. It says nothing of another listener.
    #[must_use]
    pub const fn debounce(mut self, time: Duration) -> Self {
        self.timed.debounce = Some(time);
        self
    }

    /// A listener with `throttle` is called at most once in each `period`. It says nothing of another listener.
    #[must_use]
    pub const fn throttle(mut self, period: Duration) -> Self {
        self.timed.throttle = Some(period);
        self
    }

    /// The time from tick to tick, if the listener has `every`.
    pub const fn period(&self) -> Option<Duration> {
        self.timed.every
    }

    /// What becomes of ticks that could not come in time.
    pub const fn on_missed(&self) -> Missed {
        self.timed.missed
    }

    /// For how long it has to be quiet, if the listener has `debounce`.
    pub const fn debounce_time(&self) -> Option<Duration> {
        self.timed.debounce
    }

    /// In which time there is at most one delivery, if the listener has `throttle`.
    pub const fn throttle_period(&self) -> Option<Duration> {
        self.timed.throttle
    }
}
