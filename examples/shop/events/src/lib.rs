//! The events of the shop and the values they carry.
//!
//! This is the only crate that the shop's modules have in common. A module names what it hears and what it emits from
//! here, and never another module.

mod date;
mod happenings;
mod money;
mod page;

pub use date::{Date, Month, NoSuchDay};
pub use happenings::{CustomerBecameLoyal, CustomerId, ImportFinished, Purchased, ReportRequested};
pub use money::{Cents, Grouped};
pub use page::Page;
