use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(reply)]
fn total(e: &Placed) -> u32 {
    e.total
}

fn main() {}
