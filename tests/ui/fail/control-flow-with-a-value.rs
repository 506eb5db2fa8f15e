use tidings::{event, listener};

use std::ops::ControlFlow;

#[event(stoppable)]
struct Closing;

#[listener]
fn check(_: &Closing) -> ControlFlow<u32> {
    ControlFlow::Break(1)
}

fn main() {}
