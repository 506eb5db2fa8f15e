use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[event]
struct Shipped;

#[listener(when = |_: &Shipped| true)]
fn charge(_: &Placed) {}

fn main() {}
