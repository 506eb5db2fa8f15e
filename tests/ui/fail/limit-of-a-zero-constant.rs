use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const NONE: usize = 0;

#[listener(limit = NONE)]
async fn charge(_: &Placed) {}

fn main() {}
