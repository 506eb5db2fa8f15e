use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, overlap = "serial")]
async fn charge(_: &Placed) {}

fn main() {}
