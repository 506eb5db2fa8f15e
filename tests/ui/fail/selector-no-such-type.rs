use tidings::{AnyEvent, listener};

#[listener(Order)]
fn charge(_: &AnyEvent<'_>) {}

fn main() {}
