use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
unsafe extern "C" fn charge(_: &Placed, _: ...) {}

fn main() {}
