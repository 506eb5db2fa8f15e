use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
async fn charge(_: &Placed) -> bool {
    true
}

fn main() {}
