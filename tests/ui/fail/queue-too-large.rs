use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 4294967296)]
fn charge(_: &Placed) {}

fn main() {}
