use tidings::{AnyEvent, listener};

struct Order;

#[listener(Order)]
fn charge(_: &AnyEvent<'_>) {}

fn main() {}
