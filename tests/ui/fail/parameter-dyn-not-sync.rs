use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

trait Mail {}

#[listener]
fn charge(_: &Placed, _mail: &dyn Mail) {}

fn main() {}
