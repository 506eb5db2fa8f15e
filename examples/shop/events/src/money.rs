use std::{fmt, ops::AddAssign};

use serde::{Deserialize, Serialize};

/// An amount of dollars, kept in whole cents so that sums are exact.
///
/// # Examples
///
/// ```
/// use shop_events::Cents;
///
/// let mut total = Cents::dollars(1_234);
/// total += Cents::new(56);
///
/// assert_eq!(total.to_string(), "$1,234.56");
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Cents(u64);

impl Cents {
    /// An amount given in cents.
    #[must_use]
    pub const fn new(cents: u64) -> Self {
        Self(cents)
    }

    /// An amount of whole dollars.
    #[must_use]
    pub const fn dollars(dollars: u32) -> Self {
        // A cast, since `u64::from` is not const.
        Self(dollars as u64 * 100)
    }

    /// The number of cents.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, more: Self) {
        self.0 += more.0;
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("${}.{:02}", Grouped(self.0 / 100), self.0 % 100))
    }
}

/// A count that prints with a comma after every three digits.
#[derive(Debug, Clone, Copy)]
pub struct Grouped(pub u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut grouped = String::with_capacity(digits.len() * 4 / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&grouped)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cents, Grouped};

    #[test]
    fn counts_are_grouped_by_three_digits() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (69_659, "69,659"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(Grouped(count).to_string(), text);
        }
    }

    #[test]
    fn cents_print_as_dollars_and_keep_the_width_asked_for() {
        assert_eq!(Cents::new(5).to_string(), "$0.05");
        assert_eq!(Cents::new(250_031_563).to_string(), "$2,500,315.63");
        assert_eq!(format!("{:>9}", Cents::dollars(12)), "   $12.00");
    }
}
