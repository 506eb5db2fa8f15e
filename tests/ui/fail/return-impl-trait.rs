use tidings::{Event, event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge(_: &Placed) -> impl Event {
    Placed { total: 1 }
}

fn main() {}
