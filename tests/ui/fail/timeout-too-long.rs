use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(timeout = "999999999999d")]
async fn charge(_: &Placed) {}

fn main() {}
