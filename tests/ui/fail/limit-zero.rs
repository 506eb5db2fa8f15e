use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(limit = 0)]
async fn charge(_: &Placed) {}

fn main() {}
