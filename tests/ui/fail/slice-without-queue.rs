use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn index(_: &[&Placed]) {}

fn main() {}
