use tidings::{event, listener};

use std::ops::ControlFlow;

#[event(stoppable)]
struct Closing;

#[listener]
async fn check(_: &Closing) -> ControlFlow<()> {
    ControlFlow::Break(())
}

fn main() {}
