//! The ledger of the shop: totals, revenue per month, the best customers, and a statement for every customer.
//!
//! It hears every purchase and writes the first sections of the report. It knows the events and nothing else.

mod customers;
mod listeners;
mod months;
mod statements;
mod totals;

use std::sync::{Mutex, MutexGuard, PoisonError};

use customers::Customers;
use months::Months;
use statements::Statements;
use totals::Totals;

/// What the ledger remembers: the state that a bus gives to its listeners.
#[derive(Debug, Default)]
pub struct Ledger {
    totals: Mutex<Totals>,
    months: Mutex<Months>,
    customers: Mutex<Customers>,
    statements: Mutex<Statements>,
}

/// A panic elsewhere must not close the books: what one entry adds, it adds as a whole.
fn open<T>(book: &Mutex<T>) -> MutexGuard<'_, T> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
