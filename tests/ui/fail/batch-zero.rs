use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, batch = 0)]
fn index(_: &[&Placed]) {}

fn main() {}
