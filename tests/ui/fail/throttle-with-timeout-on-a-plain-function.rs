use tidings::{event, listener};

#[event]
struct Placed;

#[listener(throttle = "1s", timeout = "1s")]
fn render(_: &Placed) {}

fn main() {}
