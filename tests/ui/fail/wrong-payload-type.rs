use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[event]
struct Shipped;

#[listener(Shipped)]
fn charge(_: &Placed) {}

fn main() {}
