use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge<E>(_: &Placed, _: &E) {}

fn main() {}
