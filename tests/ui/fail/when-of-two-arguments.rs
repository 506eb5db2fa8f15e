use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(when = |e, cx| e.total > 100)]
fn charge(_: &Placed) {}

fn main() {}
