//! `1year=10s`: how much of the calendar goes by in how much time.

use std::{fmt, time::Duration};

const DAY: u64 = 24 * 60 * 60 * 1000;
const YEAR: u64 = 365 * DAY;

/// The calendar of the shop has no more.
const LONGEST: u64 = 10_000 * YEAR;

const UNITS: &str = "ms, s, min, h, day, week, month or year";

/// A span of the calendar and the time that it takes, in milliseconds. Both are at least 1, and the time is not longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    span: u64,
    time: u64,
}

impl Pace {
    pub(crate) fn read(text: &str) -> Result<Self, PaceError> {
        let (span, time) = text.split_once('=').ok_or(PaceError::NoPair)?;
        let (span, time) = (length(span)?, length(time)?);
        if time > span {
            return Err(PaceError::Slow);
        }
        Ok(Self { span, time })
    }

    /// The time in which so many days go by, rounded up to the next nanosecond.
    pub(crate) fn time_of(self, days: u32) -> Duration {
        const NANOS_PER_SECOND: u128 = 1_000_000_000;
        let calendar = u128::from(days) * u128::from(DAY) * 1_000_000;
        let nanos = (calendar * u128::from(self.time)).div_ceil(self.span.into());
        let seconds = u64::try_from(nanos / NANOS_PER_SECOND)
            .expect("the seconds fit because no replay is slower than the calendar");
        let nanos = u32::try_from(nanos % NANOS_PER_SECOND)
            .expect("it fits because a second has fewer nanoseconds");
        Duration::new(seconds, nanos)
    }
}

/// A number and a unit, as milliseconds.
fn length(text: &str) -> Result<u64, PaceError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(PaceError::NoNumber(text.into()));
    }
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "min" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "day" | "days" => DAY,
        "week" | "weeks" => 7 * DAY,
        // Twelve of them are a year.
        "month" | "months" => YEAR / 12,
        "year" | "years" => YEAR,
        "" => return Err(PaceError::NoUnit(text.into())),
        unit => return Err(PaceError::Unit(unit.into())),
    };
    let too_long = || PaceError::TooLong(text.into());
    // Only one that is too large cannot be read, since these are digits.
    let number: u64 = number.parse().map_err(|_| too_long())?;
    let length = number.checked_mul(unit).ok_or_else(too_long)?;
    match length {
        0 => Err(PaceError::Zero(text.into())),
        1..=LONGEST => Ok(length),
        _ => Err(too_long()),
    }
}

/// Why a text is no pace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PaceError {
    NoPair,
    NoNumber(String),
    NoUnit(String),
    Unit(String),
    Zero(String),
    TooLong(String),
    Slow,
}

impl fmt::Display for PaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPair => write!(
                f,
                "a span of the calendar and its time were expected, 1year=10s for example, or virtual"
            ),
            Self::NoNumber(length) => write!(f, "{length:?} does not begin with a whole number"),
            Self::NoUnit(length) => write!(f, "{length:?} has no unit, which is one of {UNITS}"),
            Self::Unit(unit) => write!(f, "{unit:?} is no unit, which is one of {UNITS}"),
            Self::Zero(length) => write!(f, "{length:?} is no time at all"),
            Self::TooLong(length) => write!(f, "{length:?} is more than 10,000 years"),
            Self::Slow => write!(f, "the time is longer than the span that goes by in it"),
        }
    }
}

impl std::error::Error for PaceError {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, PaceError};

    fn time_of(pace: &str, days: u32) -> Duration {
        let pace = Pace::read(pace).expect("the test gives a pace that can be read");
        pace.time_of(days)
    }

    #[test]
    fn every_unit_is_read_on_both_sides() {
        for (pace, days, time) in [
            ("1year=10s", 365, Duration::from_secs(10)),
            ("12months=1year", 365, Duration::from_secs(365 * 86_400)),
            ("1month=1min", 365, Duration::from_secs(12 * 60)),
            ("1week=7h", 1, Duration::from_secs(60 * 60)),
            ("2weeks=1day", 14, Duration::from_secs(86_400)),
            ("1day=50ms", 3, Duration::from_millis(150)),
            ("10years=2days", 3650, Duration::from_secs(2 * 86_400)),
        ] {
            assert_eq!(time_of(pace, days), time, "{pace}");
            assert_eq!(time_of(pace, 0), Duration::ZERO, "{pace}");
        }
    }

    #[test]
    fn a_time_that_is_no_whole_nanosecond_is_rounded_up() {
        assert_eq!(time_of("3days=1ms", 1), Duration::from_nanos(333_334));
        assert_eq!(time_of("10000years=1ms", 1), Duration::from_nanos(1));
    }

    #[test]
    fn the_longest_replay_of_the_longest_calendar_can_be_told() {
        let days = 3_652_058;

        assert_eq!(
            time_of("10000years=10000years", days),
            Duration::from_secs(u64::from(days) * 86_400),
        );
    }

    #[test]
    fn what_is_no_pace_is_refused_with_the_reason() {
        for (text, error) in [
            ("", PaceError::NoPair),
            ("fast", PaceError::NoPair),
            ("1year", PaceError::NoPair),
            ("=10s", PaceError::NoNumber(String::new())),
            ("year=10s", PaceError::NoNumber("year".into())),
            ("-1year=10s", PaceError::NoNumber("-1year".into())),
            ("1year=", PaceError::NoNumber(String::new())),
            ("1=10s", PaceError::NoUnit("1".into())),
            ("1year=10", PaceError::NoUnit("10".into())),
            ("1fortnight=10s", PaceError::Unit("fortnight".into())),
            ("1year=1.5s", PaceError::Unit(".5s".into())),
            ("1year=10s=1", PaceError::Unit("s=1".into())),
            ("1 year=10s", PaceError::Unit(" year".into())),
            ("1Ä=10s", PaceError::Unit("Ä".into())),
            ("0year=10s", PaceError::Zero("0year".into())),
            ("1year=0s", PaceError::Zero("0s".into())),
            ("10001years=1s", PaceError::TooLong("10001years".into())),
            (
                "99999999999999999999days=1s",
                PaceError::TooLong("99999999999999999999days".into()),
            ),
            (
                "18446744073709551615weeks=1s",
                PaceError::TooLong("18446744073709551615weeks".into()),
            ),
            ("1day=2days", PaceError::Slow),
        ] {
            assert_eq!(Pace::read(text), Err(error), "{text:?}");
        }
    }
}
