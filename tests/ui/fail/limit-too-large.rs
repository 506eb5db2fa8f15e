use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(limit = 99_999_999_999)]
async fn charge(_: &Placed) {}

fn main() {}
