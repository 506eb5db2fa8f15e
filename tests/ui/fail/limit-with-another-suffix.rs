use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(limit = 8u8)]
async fn charge(_: &Placed) {}

fn main() {}
