use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Paid;

#[listener(emits(Paid))]
fn charge(_: &Placed) {}

fn main() {}
