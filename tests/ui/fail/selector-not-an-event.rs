use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Order;

#[listener(Order)]
fn charge(_: &Placed) {}

fn main() {}
