use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(when = |e| e.price > 100)]
fn charge(_: &Placed) {}

fn main() {}
