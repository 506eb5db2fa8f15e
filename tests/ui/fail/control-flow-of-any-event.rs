use tidings::{AnyEvent, listener};

use std::ops::ControlFlow;

#[listener("**")]
fn log(_: &AnyEvent<'_>) -> ControlFlow<()> {
    ControlFlow::Break(())
}

fn main() {}
