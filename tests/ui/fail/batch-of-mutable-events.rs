use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, batch = 64)]
fn index(_: &[&mut Placed]) {}

fn main() {}
