use tidings::{event, listener};

#[event]
struct Placed;

#[listener(every = "10s", key = |e| e.0)]
fn tick() {}

fn main() {}
