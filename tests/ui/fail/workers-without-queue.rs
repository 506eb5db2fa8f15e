use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(workers = 4)]
fn charge(_: &Placed) {}

fn main() {}
