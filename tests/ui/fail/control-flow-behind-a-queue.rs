use std::ops::ControlFlow;

use tidings::{event, listener};

#[event("orders.placed", stoppable)]
struct Placed {
    total: u32,
}

#[listener(queue = 64)]
fn charge(_: &Placed) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn main() {}
