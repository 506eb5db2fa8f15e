use std::{error::Error, fmt};

use shop_events::{Cents, CustomerId};

/// One message to one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) customer: CustomerId,
    pub(crate) occasion: Occasion,
}

/// Why a customer is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Occasion {
    BecameLoyal,
    LargeOrder(Cents),
}

/// A message that did not reach its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotSent {
    pub(crate) customer: CustomerId,
    pub(crate) refusal: Refusal,
}

/// What the service says to a message that it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// It may take it later.
    Unavailable,
    /// It will never take it.
    NoAddress,
}

impl NotSent {
    pub(crate) fn is_temporary(&self) -> bool {
        self.refusal == Refusal::Unavailable
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.refusal {
            Refusal::Unavailable => "the service was not available",
            Refusal::NoAddress => "no address is known",
        };
        write!(f, "customer {:05}: {reason}", self.customer)
    }
}

impl Error for NotSent {}
