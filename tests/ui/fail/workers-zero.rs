use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, workers = 0)]
fn charge(_: &Placed) {}

fn main() {}
