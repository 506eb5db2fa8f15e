//! Purchases at their dates, on an event loop.

use std::{collections::BTreeMap, ops::ControlFlow, rc::Rc, time::Duration};

use shop_events::{Date, Purchased};
use tidings::{EventLoop, event_loop::LoopError};

use crate::pace::{Pace, PaceError};

/// The clock on which the purchases come at their dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    /// A day takes a day of a clock that does not wait.
    Virtual,
    /// The real clock, on which the calendar goes by faster.
    Real(Pace),
}

impl Replay {
    pub(crate) fn read(text: &str) -> Result<Self, PaceError> {
        match text {
            "virtual" => Ok(Self::Virtual),
            pace => Pace::read(pace).map(Self::Real),
        }
    }

    /// Hands the purchases of each day to `emit` when that day comes, until `emit` breaks.
    pub(crate) fn run(
        self,
        Days(days): Days,
        emit: impl Fn(Purchased) -> ControlFlow<()> + 'static,
    ) -> Result<(), LoopError> {
        let lp = self.event_loop()?;
        let emit = Rc::new(emit);
        let start = lp.time();
        let first = days.keys().next().copied();
        for (day, purchases) in days {
            let emit = Rc::clone(&emit);
            let days = first.map_or(0, |first| day.days_since(first));
            lp.call_at(start + self.time_of(days), move |lp| {
                if purchases.into_iter().try_for_each(&*emit).is_break() {
                    lp.stop();
                }
            })?;
        }
        lp.run_until_idle()
    }

    fn event_loop(self) -> Result<EventLoop, LoopError> {
        match self {
            Self::Virtual => Ok(EventLoop::virtual_time()),
            // Emissions wait for room in the queues, which a thread with tokio's reactor must not.
            Self::Real(_) => EventLoop::builder().without_io().build(),
        }
    }

    /// From the first day to one so many days later.
    fn time_of(self, days: u32) -> Duration {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        match self {
            Self::Virtual => DAY * days,
            Self::Real(pace) => pace.time_of(days),
        }
    }
}

/// The purchases of each day, in the order in which they were read.
#[derive(Debug, Default)]
pub(crate) struct Days(BTreeMap<Date, Vec<Purchased>>);

impl Days {
    pub(crate) fn add(&mut self, purchase: Purchased) {
        self.0.entry(purchase.date).or_default().push(purchase);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, ops::ControlFlow, rc::Rc, time::Duration};

    use shop_events::{Cents, Date, Purchased};
    use tidings::EventLoop;

    use super::{Days, Replay};

    fn replay(text: &str) -> Replay {
        Replay::read(text).expect("the test gives a replay that can be read")
    }

    /// Customers 1, 2, 3 and so on buy on these days of February 1996.
    fn days(days: &[u8]) -> Days {
        let mut read = Days::default();
        for (customer, &day) in (1..).zip(days) {
            read.add(Purchased {
                customer,
                date: Date::new(1996, 2, day).expect("the day exists because 1996 was a leap year"),
                cds: 1,
                total: Cents::dollars(12),
            });
        }
        read
    }

    /// Who bought and how much time had passed then, until `last` has bought.
    fn run(replay: Replay, days: Days, last: u32) -> Vec<(u32, Duration)> {
        let log = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&log);
        let emit = move |purchase: Purchased| {
            let lp = EventLoop::current().expect("purchases come on a loop");
            told.borrow_mut().push((purchase.customer, lp.elapsed()));
            if purchase.customer == last {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        replay
            .run(days, emit)
            .expect("no other loop runs in this thread");
        log.take()
    }

    #[test]
    fn purchases_come_by_day_and_within_a_day_in_the_order_of_the_file() {
        let expected = [2, 5, 1, 4, 3];

        for replay in [replay("virtual"), replay("1day=1ms")] {
            let came = run(replay, days(&[3, 1, 29, 3, 1]), 0);

            let customers: Vec<_> = came.iter().map(|(customer, _)| *customer).collect();
            assert_eq!(customers, expected, "{replay:?}");
        }
    }

    #[test]
    fn virtual_days_are_days_to_the_nanosecond() {
        let day = Duration::from_secs(24 * 60 * 60);

        let came = run(replay("virtual"), days(&[1, 2, 29]), 0);

        assert_eq!(came, [(1, Duration::ZERO), (2, day), (3, 28 * day)]);
    }

    #[test]
    fn no_day_comes_early_on_the_real_clock() {
        let came = run(replay("1day=1ms"), days(&[1, 4, 11]), 0);

        assert_eq!(came.len(), 3);
        for ((_, passed), due) in came.into_iter().zip([0, 3, 10]) {
            assert!(passed >= Duration::from_millis(due), "{passed:?}");
        }
    }

    #[test]
    fn nothing_comes_after_a_break() {
        let came = run(replay("virtual"), days(&[1, 1, 1, 2, 3]), 2);

        assert_eq!(came.len(), 2);
    }

    #[test]
    fn a_file_without_purchases_ends_at_once() {
        assert_eq!(run(replay("1year=1year"), days(&[]), 0), []);
    }
}
