use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(emits())]
fn charge(_: &Placed) {}

fn main() {}
