use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(batch = 64)]
fn index(_: &[&Placed]) {}

fn main() {}
