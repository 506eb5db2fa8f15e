use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(after = crate::stock::reserve)]
fn charge(_: &Placed) {}

fn main() {}
