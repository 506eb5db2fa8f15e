use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Paid;

#[listener]
fn charge(_: &Placed) -> Option<Paid> {
    None
}

fn main() {}
