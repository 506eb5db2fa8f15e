//! A library of events and listeners that is a renamed dependency.

use tidings::{event, listener};

/// A parcel left.
#[event("shipping.left")]
#[derive(Debug)]
pub struct Left;

/// Hears that a parcel left.
#[listener]
pub fn track(_: &Left) {}
