use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(before = "mail send")]
fn charge(_: &Placed) {}

fn main() {}
