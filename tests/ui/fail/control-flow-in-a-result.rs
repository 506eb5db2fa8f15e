use tidings::{event, listener};

use std::ops::ControlFlow;

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener]
fn charge(_: &Placed) -> Result<ControlFlow<()>, std::fmt::Error> {
    Ok(ControlFlow::Break(()))
}

fn main() {}
