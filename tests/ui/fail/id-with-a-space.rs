use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(id = "billing charge")]
fn charge(_: &Placed) {}

fn main() {}
