use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

mod stock {
    fn reserve() {}
}

#[listener(after = stock::reserve)]
fn charge(_: &Placed) {}

fn main() {}
