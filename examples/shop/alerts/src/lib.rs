//! What the staff of the shop is told at once: large orders, and customers who became loyal.

mod listeners;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use shop_events::{Cents, Grouped, Purchased};

/// Orders above this are told.
const LARGE_ORDER: Cents = Cents::dollars(250);

/// How many of the large orders the report names.
const NAMED: usize = 5;

/// What was told so far.
#[derive(Debug, Default)]
pub struct AlertDesk(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    large_orders: u64,
    largest: Vec<Purchased>,
    loyal_customers: u64,
}

impl AlertDesk {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn add_large_order(&mut self, order: Purchased) {
        self.large_orders += 1;
        let place = self
            .largest
            .partition_point(|known| known.total >= order.total);
        self.largest.insert(place, order);
        self.largest.truncate(NAMED);
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "customers who became loyal {:>8}",
            Grouped(self.loyal_customers)
        )?;
        writeln!(
            f,
            "orders above {LARGE_ORDER:<13} {:>8}",
            Grouped(self.large_orders)
        )?;
        for order in &self.largest {
            writeln!(
                f,
                "  {} customer {:05} {:>12} {:>5} CDs",
                order.date,
                order.customer,
                order.total,
                Grouped(order.cds.into()),
            )?;
        }
        Ok(())
    }
}
