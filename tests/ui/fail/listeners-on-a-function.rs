use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listeners]
fn confirm(_: &Placed) {}

fn main() {}
