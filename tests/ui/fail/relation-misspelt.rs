use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn reserve(_: &Placed) {}

#[listener(after = reserv)]
fn charge(_: &Placed) {}

fn main() {}
