use tidings::{event, listener};

#[event]
struct Placed;

#[listener(debounce = "200ms", queue = 64, overflow = "reject", batch = 2)]
fn search(_: &Placed) {}

fn main() {}
