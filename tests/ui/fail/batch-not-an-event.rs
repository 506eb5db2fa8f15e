use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, batch = 64, when = |e| e.total > 1)]
fn index(_: &[&Total]) {}

struct Total {
    total: u32,
}

fn main() {}
