use std::fmt;

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, which exists. Written as year, month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "(u16, u8, u8)", try_from = "(u16, u8, u8)")]
pub struct Date {
    month: Month,
    day: u8,
}

impl Date {
    /// The day, or `None` if the calendar has no such day.
    ///
    /// # Examples
    ///
    /// ```
    /// use shop_events::Date;
    ///
    /// assert!(Date::new(2000, 2, 29).is_some());
    /// assert!(Date::new(1900, 2, 29).is_none());
    /// ```
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let month = Month::new(year, month)?;
        (1..=month.days())
            .contains(&day)
            .then_some(Self { month, day })
    }

    /// The days from an earlier day to this one; 0 if the other day is not earlier.
    ///
    /// # Examples
    ///
    /// ```
    /// use shop_events::Date;
    ///
    /// let day = |month, day| Date::new(2000, month, day).unwrap();
    /// assert_eq!(day(3, 1).days_since(day(2, 28)), 2);
    /// assert_eq!(day(2, 28).days_since(day(3, 1)), 0);
    /// ```
    #[must_use]
    pub fn days_since(self, earlier: Self) -> u32 {
        self.number().saturating_sub(earlier.number())
    }

    /// The number of this day, counted from the first day of the year 1.
    fn number(self) -> u32 {
        let Month { year, month } = self.month;
        let years = u32::from(year) - 1;
        let leap_days = years / 4 - years / 100 + years / 400;
        let months = (1..month).map(|month| u32::from(Month { year, month }.days()));
        years * 365 + leap_days + months.sum::<u32>() + u32::from(self.day) - 1
    }

    /// The month that holds this day.
    #[must_use]
    pub fn month(self) -> Month {
        self.month
    }
}

impl From<Date> for (u16, u8, u8) {
    fn from(date: Date) -> Self {
        (date.month.year, date.month.month, date.day)
    }
}

impl TryFrom<(u16, u8, u8)> for Date {
    type Error = NoSuchDay;

    fn try_from((year, month, day): (u16, u8, u8)) -> Result<Self, NoSuchDay> {
        Self::new(year, month, day).ok_or(NoSuchDay(year, month, day))
    }
}

/// A day that no calendar has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchDay(u16, u8, u8);

impl fmt::Display for NoSuchDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(year, month, day) = self;
        write!(f, "{year:04}-{month:02}-{day:02} is not in the calendar")
    }
}

impl std::error::Error for NoSuchDay {}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{:02}", self.month, self.day))
    }
}

/// A month of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: u16,
    month: u8,
}

impl Month {
    fn new(year: u16, month: u8) -> Option<Self> {
        ((1..=9999).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    fn days(self) -> u8 {
        match self.month {
            2 if self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_that_no_calendar_has_are_refused() {
        for (year, month, day) in [
            (0, 1, 1),
            (10000, 1, 1),
            (1997, 0, 1),
            (1997, 13, 1),
            (1997, 1, 0),
            (1997, 1, 32),
            (1997, 4, 31),
            (1996, 2, 30),
            (1997, 2, 29),
            (1900, 2, 29),
        ] {
            assert_eq!(Date::new(year, month, day), None, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn the_last_day_of_every_month_is_taken() {
        let last = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

        for (month, day) in (1..).zip(last) {
            assert!(
                Date::new(1997, month, day).is_some(),
                "1997-{month:02}-{day}"
            );
            assert!(
                Date::new(1997, month, day + 1).is_none(),
                "1997-{month:02}-{}",
                day + 1
            );
        }
        assert!(Date::new(1996, 2, 29).is_some());
        assert!(Date::new(2000, 2, 29).is_some());
    }

    #[test]
    fn days_are_counted_over_the_ends_of_months_and_years() {
        let date = |(year, month, day)| {
            Date::new(year, month, day).expect("the day exists in every calendar of these years")
        };

        for (earlier, later, days) in [
            ((1997, 1, 1), (1997, 1, 1), 0),
            ((1997, 1, 31), (1997, 2, 1), 1),
            ((1997, 2, 28), (1997, 3, 1), 1),
            ((1996, 2, 28), (1996, 3, 1), 2),
            ((1899, 12, 31), (1900, 12, 31), 365),
            ((1997, 1, 1), (1998, 1, 1), 365),
            ((1600, 1, 1), (2000, 1, 1), 146_097),
            ((1, 1, 1), (9999, 12, 31), 3_652_058),
        ] {
            assert_eq!(date(later).days_since(date(earlier)), days, "{later:?}");
        }
    }

    #[test]
    fn dates_sort_and_print_as_in_the_calendar() {
        let new_year = Date::new(1998, 1, 2).expect("the day exists because January has 31 days");
        let christmas = Date::new(1997, 12, 25).expect("the day exists because December has 31");

        assert!(christmas < new_year);
        assert_eq!(new_year.to_string(), "1998-01-02");
        assert_eq!(new_year.month().to_string(), "1998-01");
    }
}
