use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const NONE: std::time::Duration = std::time::Duration::ZERO;

#[listener(timeout = NONE)]
async fn charge(_: &Placed) {}

fn main() {}
