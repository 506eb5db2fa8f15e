use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(priority = 3)]
fn charge(_: &Placed) {}

fn main() {}
