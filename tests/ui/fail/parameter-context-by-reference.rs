use tidings::{Context, event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge(_: &Placed, _cx: &Context<'_>) {}

fn main() {}
