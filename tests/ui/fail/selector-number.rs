use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(7)]
fn charge(_: &Placed) {}

fn main() {}
