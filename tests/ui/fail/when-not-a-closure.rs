use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

fn large(e: &Placed) -> bool {
    e.total > 100
}

#[listener(when = large)]
fn charge(_: &Placed) {}

fn main() {}
