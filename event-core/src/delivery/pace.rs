//! When the calls of a worker begin, without a look at the clock for each.

use std::fmt;
use std::time::{Duration, Instant};

/// So many short calls share one reading of the clock, which takes as long as some of them.
const SHARED: u32 = 16;

/// What a short call takes at most, with all that is around it.
const SHORT: Duration = Duration::from_micros(2);

/// When the calls of one worker begin, as long as they follow each other at once.
#[derive(Default)]
pub struct Pace {
    read: Option<Instant>,
    /// How many calls have this time.
    calls: u32,
    /// How many more may have it.
    left: u32,
}

impl Pace {
    /// When a call begins: the time of one of the calls before it if they were short.
    pub(crate) fn time(&mut self, now: impl FnOnce() -> Instant) -> Instant {
        if let Some(read) = self.read.filter(|_| self.left > 0) {
            self.left -= 1;
            self.calls += 1;
            return read;
        }
        let now = now();
        let short = |read| now.saturating_duration_since(read) <= SHORT * self.calls;
        self.left = if self.read.is_some_and(short) {
            SHARED - 1
        } else {
            0
        };
        self.calls = 1;
        self.read = Some(now);
        now
    }

    /// The next call may begin much later.
    pub fn stop(&mut self) {
        *self = Self::default();
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(pace: &mut Pace, calls: usize, each: Duration, now: &mut Instant) -> Vec<Instant> {
        let mut time = |_| {
            *now += each;
            pace.time(|| *now)
        };
        (0..calls).map(&mut time).collect()
    }

    #[test]
    fn short_calls_share_a_time() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut times = times(&mut pace, 34, SHORT / 2, &mut now);
        times.dedup();
        assert_eq!(times.len(), 4);
    }

    #[test]
    fn long_calls_have_a_time_each() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut times = times(&mut pace, 34, SHORT * 2, &mut now);
        times.dedup();
        assert_eq!(times.len(), 34);
    }

    #[test]
    fn a_call_after_a_pause_has_a_time_of_its_own() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        times(&mut pace, 3, Duration::ZERO, &mut now);
        pace.stop();
        now += Duration::from_secs(60);
        assert_eq!(pace.time(|| now), now);
    }
}
