//! How often and how soon a failed item is tried again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long to wait before each retry: exponential with full jitter.
///
/// The wait is a random duration from `min` to `min(max, min * 2^attempt)`. Spreading over the whole range, not only its upper part, is what
/// keeps many clients that failed together from coming back together: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015, "full jitter". The lower end is `min` instead of zero, since a range was asked for.
///
/// ```
/// use std::time::Duration;
/// use event_runtime::queue::Backoff;
///
/// let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
///
/// assert_eq!(backoff.ceiling(0), Duration::from_millis(100));
/// assert_eq!(backoff.ceiling(3), Duration::from_millis(800));
/// assert_eq!(backoff.ceiling(1000), Duration::from_secs(5));
/// ```
#[derive(Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    random: Mutex<fastrand::Rng>,
}

impl Backoff {
    /// Waits of `min` to `max`; a `max` below `min` counts as `min`.
    #[must_use]
    pub fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max: max.max(min),
            random: Mutex::new(fastrand::Rng::new()),
        }
    }

    /// The same with a fixed sequence of random numbers.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self {
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            ..self
        }
    }

    /// The longest wait after the given number of retries.
    #[must_use]
    pub fn ceiling(&self, retries: u32) -> Duration {
        let factor = 1_u32.checked_shl(retries).unwrap_or(u32::MAX);
        self.min.saturating_mul(factor).min(self.max)
    }

    /// The wait before the next retry, when there were `retries` already.
    #[must_use]
    pub fn delay(&self, retries: u32) -> Duration {
        let floor = nanos(self.min);
        let ceiling = nanos(self.ceiling(retries));
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_nanos(random.u64(floor..=ceiling))
    }
}

/// A wait of more than 584 years is cut off there.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How a queue retries: how often at most, and with which waits.
#[derive(Debug)]
pub struct Retry {
    /// Retries of one item after its first run; 0 for none.
    pub limit: u32,
    /// The waits between them.
    pub backoff: Backoff,
}

impl Retry {
    /// No retries: [`Verdict::Retry`](super::Verdict::Retry) counts as failed.
    #[must_use]
    pub fn never() -> Self {
        Self::new(0, Backoff::new(Duration::ZERO, Duration::ZERO))
    }

    /// At most `limit` retries, waiting as `backoff` says.
    #[must_use]
    pub fn new(limit: u32, backoff: Backoff) -> Self {
        Self { limit, backoff }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(5);

    #[test]
    fn the_ceiling_doubles_and_stops_at_the_maximum() {
        let backoff = Backoff::new(MIN, MAX);

        let ceilings: Vec<u128> = (0..8).map(|n| backoff.ceiling(n).as_millis()).collect();

        assert_eq!(ceilings, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.ceiling(u32::MAX), MAX);
    }

    #[test]
    fn a_delay_stays_in_its_range_and_uses_all_of_it() {
        let backoff = Backoff::new(MIN, MAX).seeded(7);

        for retries in 0..40 {
            let ceiling = backoff.ceiling(retries);
            let delays: Vec<Duration> = (0..200).map(|_| backoff.delay(retries)).collect();
            assert!(delays.iter().all(|delay| (MIN..=ceiling).contains(delay)));
            let middle = (MIN + ceiling) / 2;
            assert!(retries == 0 || delays.iter().any(|delay| *delay < middle));
            assert!(retries == 0 || delays.iter().any(|delay| *delay > middle));
        }
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let [a, b] = [(); 2].map(|()| Backoff::new(MIN, MAX).seeded(1));

        assert!((0..50).all(|retries| a.delay(retries) == b.delay(retries)));
    }

    #[test]
    fn extremes_saturate() {
        let widest = Backoff::new(Duration::MAX, Duration::ZERO);

        assert_eq!(widest.ceiling(3), Duration::MAX);
        assert_eq!(widest.delay(3), Duration::from_nanos(u64::MAX));
        assert_eq!(Retry::never().backoff.delay(9), Duration::ZERO);
    }
}
