use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(after = 5)]
fn charge(_: &Placed) {}

fn main() {}
