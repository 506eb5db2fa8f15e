use tidings::{event, listener};

#[event("orders.placed")]
struct Placed;

#[listener(queue = 0, workers = 4, batch = 64)]
fn index(_: &[&Placed]) {}

fn main() {}
