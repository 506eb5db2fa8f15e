use serde::{Deserialize, Serialize};
use tidings::event;

use crate::{Cents, Date};

/// The number by which the shop knows a customer.
pub type CustomerId = u32;

/// A customer paid for an order, here or in a shop that sends its purchases over a link.
#[event("shop.purchased", serde)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchased {
    /// Who bought.
    pub customer: CustomerId,
    /// The day of the purchase.
    pub date: Date,
    /// How many CDs the order held.
    pub cds: u32,
    /// What the customer paid.
    pub total: Cents,
}

/// A customer has bought often enough to be a loyal one.
#[event("shop.customer_became_loyal")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerBecameLoyal {
    /// Who became loyal.
    pub customer: CustomerId,
    /// The day of the purchase that decided it.
    pub date: Date,
}

/// All purchases are in: every module writes its part on the [`Page`](crate::Page).
///
/// Modules keep their place by phase: the ledger is early, the club is in the middle, the alerts are late.
#[event("shop.report_requested")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequested {
    /// Where the purchases came from.
    pub source: String,
}

/// A shop has sent all that it sends over its link: whoever has heard so many purchases has heard them all.
#[event("shop.import_finished", serde)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFinished {
    /// Where the purchases came from.
    pub source: String,
    /// How many were sent.
    pub purchases: u64,
    /// Whether the source was read to its end.
    pub whole: bool,
}
