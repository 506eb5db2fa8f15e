//! A library of events and listeners that no test binary names.

use tidings::{event, listener};

/// Something that nobody hears, since this library is not linked.
#[event("unlinked.forgotten")]
#[derive(Debug)]
pub struct Forgotten;

/// Would hear it.
#[listener]
pub fn remember(_: &Forgotten) {}
