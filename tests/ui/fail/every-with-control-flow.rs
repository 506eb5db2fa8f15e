use std::ops::ControlFlow;
use tidings::listener;

#[listener(every = "10s")]
fn tick() -> ControlFlow<()> {
    ControlFlow::Break(())
}

fn main() {}
