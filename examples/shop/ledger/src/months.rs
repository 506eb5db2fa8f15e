use std::{collections::BTreeMap, fmt};

use shop_events::{Cents, Month, Purchased};

/// The length of the longest bar, in characters.
const WIDTH: u64 = 40;

/// Revenue by month. It prints as a bar chart.
#[derive(Debug, Default)]
pub(crate) struct Months(BTreeMap<Month, Cents>);

impl Months {
    pub(crate) fn add(&mut self, purchase: &Purchased) {
        *self.0.entry(purchase.date.month()).or_default() += purchase.total;
    }
}

impl fmt::Display for Months {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let best = self.0.values().max().copied().unwrap_or_default();
        for (month, &revenue) in &self.0 {
            writeln!(f, "{month} {revenue:>14} {}", bar(revenue, best))?;
        }
        Ok(())
    }
}

/// A bar in steps of an eighth of a character.
fn bar(revenue: Cents, best: Cents) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let scaled = u128::from(revenue.get()) * u128::from(WIDTH * 8);
    let eighths = scaled.checked_div(u128::from(best.get())).unwrap_or(0);
    let eighths = usize::try_from(eighths).expect("the bar fits because no month beats the best");
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use shop_events::{Cents, Date, Purchased};

    use super::{Months, bar};

    fn purchase(month: u8, dollars: u32) -> Purchased {
        Purchased {
            customer: 1,
            date: Date::new(1997, month, 1)
                .expect("the day exists because every month has a first"),
            cds: 1,
            total: Cents::dollars(dollars),
        }
    }

    #[test]
    fn months_are_in_calendar_order_and_add_up() {
        let mut months = Months::default();

        for (month, dollars) in [(3, 10), (1, 15), (3, 20)] {
            months.add(&purchase(month, dollars));
        }

        let full = "█".repeat(40);
        let half = "█".repeat(20);
        assert_eq!(
            months.to_string(),
            format!("1997-01         $15.00 {half}\n1997-03         $30.00 {full}\n"),
        );
    }

    #[test]
    fn a_bar_has_steps_of_an_eighth() {
        assert_eq!(bar(Cents::new(0), Cents::new(320)), "");
        assert_eq!(bar(Cents::new(1), Cents::new(320)), "▏");
        assert_eq!(bar(Cents::new(15), Cents::new(320)), "█▉");
    }

    #[test]
    fn months_without_revenue_have_no_bar() {
        let mut months = Months::default();

        months.add(&purchase(2, 0));

        assert_eq!(months.to_string(), "1997-02          $0.00 \n");
    }
}
