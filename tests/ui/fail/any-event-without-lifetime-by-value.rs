use tidings::{AnyEvent, listener};

#[listener("**")]
fn log(_: AnyEvent<'_>) {}

fn main() {}
