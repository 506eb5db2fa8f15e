//! The loyalty club of the shop: whoever buys for the fifth time is a loyal customer.
//!
//! The club says so by an event. Who cares is not its business.

mod listeners;

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use shop_events::{CustomerId, Grouped};

/// The purchase that makes a customer loyal.
const DECIDING_PURCHASE: u64 = 5;

/// What the club remembers: the purchases of every customer.
#[derive(Debug, Default)]
pub struct LoyaltyClub(Mutex<Purchases>);

#[derive(Debug, Default)]
struct Purchases(HashMap<CustomerId, u64>);

impl LoyaltyClub {
    fn purchases(&self) -> MutexGuard<'_, Purchases> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Purchases {
    /// Counts one more purchase and tells whether it is the deciding one.
    fn add(&mut self, customer: CustomerId) -> bool {
        let count = self.0.entry(customer).or_default();
        *count += 1;
        *count == DECIDING_PURCHASE
    }
}

impl fmt::Display for Purchases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.0.values().filter(|&&count| count >= DECIDING_PURCHASE);
        let (mut loyal, mut purchases) = (0_u64, 0_u64);
        for count in members {
            loyal += 1;
            purchases += count;
        }
        let customers = self.0.len() as u64;
        let permille = (loyal * 1000).checked_div(customers).unwrap_or(0);
        writeln!(
            f,
            "loyal customers {:>8} ({}.{} % of all)\ntheir purchases {:>8}",
            Grouped(loyal),
            permille / 10,
            permille % 10,
            Grouped(purchases),
        )
    }
}
