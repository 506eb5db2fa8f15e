use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge<const N: usize>(_: &Placed) {}

fn main() {}
