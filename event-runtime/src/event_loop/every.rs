//! Callbacks that come again and again.

use std::time::{Duration, Instant};

use event_core::Missed;

use super::EventLoop;
use super::outcome::Ended;

pub(super) struct Every {
    pub(super) period: Duration,
    pub(super) missed: Missed,
    pub(super) at: Instant,
    pub(super) f: Box<dyn FnMut(&EventLoop) -> Ended>,
}

impl Every {
    /// Sets the time of the next call; none if no clock reaches it.
    pub(super) fn next(&mut self, now: Instant) -> Option<Instant> {
        self.at = self.missed.next(self.at, self.period, now)?;
        Some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use event_core::Missed;

    use super::Every;

    const PERIOD: Duration = Duration::from_millis(10);

    fn next(missed: Missed, late: Duration) -> Duration {
        let at = Instant::now();
        let f = Box::new(|_: &_| Ok(()));
        let period = PERIOD;
        let mut every = Every {
            period,
            missed,
            at,
            f,
        };
        let next = every.next(at + late);
        next.map_or(Duration::MAX, |next| next - at)
    }

    #[test]
    fn in_time_all_ways_are_one() {
        for missed in [Missed::Skip, Missed::Burst, Missed::Delay] {
            assert_eq!(next(missed, Duration::ZERO), PERIOD);
        }
    }

    #[test]
    fn what_was_missed_is_left_out_made_up_for_or_moves_the_rest() {
        let late = Duration::from_millis(34);
        assert_eq!(next(Missed::Skip, late), 4 * PERIOD);
        assert_eq!(next(Missed::Burst, late), PERIOD);
        assert_eq!(next(Missed::Delay, late), late + PERIOD);
    }

    #[test]
    fn a_call_that_is_a_whole_period_late_skips_that_one() {
        assert_eq!(next(Missed::Skip, PERIOD), 2 * PERIOD);
    }
}
