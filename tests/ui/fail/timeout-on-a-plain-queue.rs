use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, timeout = "5s")]
fn charge(_: &Placed) {}

fn main() {}
