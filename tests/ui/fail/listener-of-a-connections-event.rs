use tidings::listener;
use tidings::transport::{DataReceived, WritingPaused};

#[listener]
fn data(_: &DataReceived) {}

#[listener("transport.*")]
fn paused(_: &WritingPaused) {}

fn main() {}
