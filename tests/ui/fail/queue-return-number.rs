use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64)]
fn charge(_: &Placed) -> u32 {
    1
}

fn main() {}
