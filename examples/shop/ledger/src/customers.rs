use std::{cmp::Reverse, collections::HashMap, fmt};

use shop_events::{Cents, CustomerId, Grouped, Purchased};

/// How many of the best customers are named.
const NAMED: usize = 10;

/// What every customer bought. It prints the best of them.
#[derive(Debug, Default)]
pub(crate) struct Customers(HashMap<CustomerId, Account>);

#[derive(Debug, Default)]
struct Account {
    cds: u64,
    spent: Cents,
    /// What was spent after each purchase, in the order in which they were read.
    balances: Vec<Cents>,
}

impl Customers {
    pub(crate) fn add(&mut self, purchase: &Purchased) {
        let account = self.0.entry(purchase.customer).or_default();
        account.cds += u64::from(purchase.cds);
        account.spent += purchase.total;
        account.balances.push(account.spent);
    }

    /// The balances of one customer; none of a customer who never bought.
    pub(crate) fn balances(&self, customer: CustomerId) -> &[Cents] {
        self.0
            .get(&customer)
            .map_or(&[], |account| &account.balances)
    }

    pub(crate) fn purchases(&self) -> u64 {
        self.0.values().map(Account::purchases).sum()
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Account {
    fn purchases(&self) -> u64 {
        self.balances.len() as u64
    }
}

impl fmt::Display for Customers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut best: Vec<_> = self.0.iter().collect();
        best.sort_unstable_by_key(|&(&customer, account)| (Reverse(account.spent), customer));
        for (place, (customer, account)) in (1..).zip(best.into_iter().take(NAMED)) {
            writeln!(
                f,
                "{place:>2}. customer {customer:05} {:>12} {:>4} purchases {:>5} CDs",
                account.spent,
                Grouped(account.purchases()),
                Grouped(account.cds),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use shop_events::{Cents, Date, Purchased};

    use super::Customers;

    fn customers(spent: impl IntoIterator<Item = (u32, u32)>) -> Customers {
        let mut customers = Customers::default();
        for (customer, dollars) in spent {
            customers.add(&Purchased {
                customer,
                date: Date::new(1997, 1, 1).expect("the day exists because January has 31 days"),
                cds: 2,
                total: Cents::dollars(dollars),
            });
        }
        customers
    }

    #[test]
    fn the_best_customers_come_first_and_equals_by_number() {
        let customers = customers([(7, 10), (3, 30), (5, 10), (7, 20)]);

        assert_eq!(customers.len(), 3);
        assert_eq!(
            customers.to_string(),
            " 1. customer 00003       $30.00    1 purchases     2 CDs\n \
              2. customer 00007       $30.00    2 purchases     4 CDs\n \
              3. customer 00005       $10.00    1 purchases     2 CDs\n",
        );
    }

    #[test]
    fn ten_customers_are_named() {
        let customers = customers((1..=30).map(|customer| (customer, customer)));

        let table = customers.to_string();

        assert_eq!(table.lines().count(), 10);
        assert!(table.starts_with(" 1. customer 00030"));
        assert!(table.contains("\n10. customer 00021"));
    }
}
