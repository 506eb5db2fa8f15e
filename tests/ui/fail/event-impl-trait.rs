use tidings::{Event, listener};

#[listener]
fn charge(_: &impl Event) {}

fn main() {}
