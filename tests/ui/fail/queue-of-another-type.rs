use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const SIZE: u32 = 64;

#[listener(queue = SIZE)]
fn charge(_: &Placed) {}

fn main() {}
