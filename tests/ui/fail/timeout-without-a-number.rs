use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(timeout = "s")]
async fn charge(_: &Placed) {}

fn main() {}
