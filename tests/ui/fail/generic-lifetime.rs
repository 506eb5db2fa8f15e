use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge<'a>(_: &'a Placed) {}

fn main() {}
