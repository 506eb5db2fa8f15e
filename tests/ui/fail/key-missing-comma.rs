use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener("orders.*" early)]
fn charge(_: &Placed) {}

fn main() {}
