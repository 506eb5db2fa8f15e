use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, overflow = "drop_odlest")]
fn charge(_: &Placed) {}

fn main() {}
