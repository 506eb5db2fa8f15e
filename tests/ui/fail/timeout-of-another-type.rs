use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const FIVE: u64 = 5;

#[listener(timeout = FIVE)]
async fn charge(_: &Placed) {}

fn main() {}
