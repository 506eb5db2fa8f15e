use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, key = |e| e.total)]
fn charge(_: &Placed) {}

fn main() {}
