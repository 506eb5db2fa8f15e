use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: f64,
}

#[listener(queue = 64, workers = 4, key = |e| e.total)]
fn charge(_: &Placed) {}

fn main() {}
