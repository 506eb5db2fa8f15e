use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(wen = |e| e.total > 100)]
fn charge(_: &Placed) {}

fn main() {}
