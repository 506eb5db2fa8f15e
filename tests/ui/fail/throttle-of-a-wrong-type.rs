use tidings::{event, listener};

#[event]
struct Placed;

#[listener(throttle = 1 + 1)]
fn render(_: &Placed) {}

fn main() {}
