use tidings::{event, listener};

#[event]
struct Placed;

#[listener(debounce = "200ms", throttle = "1s")]
fn search(_: &Placed) {}

fn main() {}
