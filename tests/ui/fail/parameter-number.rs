use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge(_: &Placed, _retries: u32) {}

fn main() {}
