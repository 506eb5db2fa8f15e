use std::{collections::HashMap, fmt};

use shop_events::{Cents, CustomerId, Grouped, Purchased};

use crate::customers::Customers;

/// The statements of all customers: a line for each purchase with the balance after it.
#[derive(Debug, Default)]
pub(crate) struct Statements(HashMap<CustomerId, Vec<Cents>>);

/// What a comparison of the statements with the accounts says.
#[derive(Debug)]
pub(crate) struct Checked {
    written: u64,
    to_write: u64,
    pub(crate) in_order: bool,
}

impl Statements {
    pub(crate) fn write(&mut self, purchase: &Purchased) {
        let lines = self.0.entry(purchase.customer).or_default();
        let mut balance = lines.last().copied().unwrap_or_default();
        balance += purchase.total;
        lines.push(balance);
    }

    /// Two purchases of one customer that change places leave another balance between them.
    pub(crate) fn check(&self, customers: &Customers) -> Checked {
        let written = self.0.values().map(|lines| lines.len() as u64).sum();
        Checked {
            written,
            to_write: customers.purchases().saturating_sub(written),
            in_order: self
                .0
                .iter()
                .all(|(&customer, lines)| customers.balances(customer).starts_with(lines)),
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lines written  {:>9}", Grouped(self.written))?;
        writeln!(f, "still to write {:>9}", Grouped(self.to_write))?;
        let in_order = if self.in_order { "yes" } else { "no" };
        writeln!(f, "in order       {in_order:>9}")
    }
}

#[cfg(test)]
mod tests {
    use shop_events::{Cents, Date, Purchased};

    use super::{Checked, Statements};
    use crate::customers::Customers;

    fn purchase((customer, dollars): (u32, u32)) -> Purchased {
        Purchased {
            customer,
            date: Date::new(1997, 1, 1).expect("the day exists because January has 31 days"),
            cds: 1,
            total: Cents::dollars(dollars),
        }
    }

    /// Compares statements written in one order with purchases read in another.
    fn check(read: &[(u32, u32)], written: &[(u32, u32)]) -> Checked {
        let (mut customers, mut statements) = (Customers::default(), Statements::default());
        for &bought in read {
            customers.add(&purchase(bought));
        }
        for &bought in written {
            statements.write(&purchase(bought));
        }
        statements.check(&customers)
    }

    #[test]
    fn two_purchases_of_one_customer_that_change_places_are_noticed() {
        let read = [(1, 10), (2, 10), (1, 20)];

        assert!(check(&read, &read).in_order);
        assert!(check(&read, &[(2, 10), (1, 10), (1, 20)]).in_order);
        assert!(!check(&read, &[(1, 20), (2, 10), (1, 10)]).in_order);
    }

    #[test]
    fn a_line_that_was_left_out_or_written_twice_is_noticed() {
        let read = [(1, 10), (1, 20), (1, 30)];

        assert!(!check(&read, &[(1, 10), (1, 30)]).in_order);
        assert!(!check(&read, &[(1, 10), (1, 10)]).in_order);
    }

    #[test]
    fn lines_that_are_not_written_yet_are_counted() {
        let read = [(1, 10), (2, 10), (1, 20)];

        let checked = check(&read, &read[..1]);

        assert!(checked.in_order);
        assert_eq!((checked.written, checked.to_write), (1, 2));
    }
}
