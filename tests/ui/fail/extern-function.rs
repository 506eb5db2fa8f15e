use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
extern "C" fn charge(_: &Placed) {}

fn main() {}
