use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const NONE: usize = 0;

#[listener(queue = 64, batch = NONE)]
fn index(_: &[&Placed]) {}

fn main() {}
