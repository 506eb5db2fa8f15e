use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const EIGHT: u8 = 8;

#[listener(limit = EIGHT)]
async fn charge(_: &Placed) {}

fn main() {}
