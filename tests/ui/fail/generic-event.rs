use tidings::{Event, listener};

#[listener]
fn charge<E: Event>(_: &E) {}

fn main() {}
