use shop_events::{Cents, Grouped, Purchased};

/// Purchases, CDs and dollars so far.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    purchases: u64,
    cds: u64,
    revenue: Cents,
}

impl Totals {
    pub(crate) fn add(&mut self, purchase: &Purchased) {
        self.purchases += 1;
        self.cds += u64::from(purchase.cds);
        self.revenue += purchase.total;
    }

    pub(crate) fn table(&self, customers: u64) -> String {
        format!(
            "purchases {:>14}\ncustomers {:>14}\nCDs       {:>14}\ndollars   {:>14}\n",
            Grouped(self.purchases),
            Grouped(customers),
            Grouped(self.cds),
            self.revenue,
        )
    }
}
