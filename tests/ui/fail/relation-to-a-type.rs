use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Stock {
    left: u32,
}

#[listener(after = Stock)]
fn charge(_: &Placed) {}

fn main() {}
