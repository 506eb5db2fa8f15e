use tidings::{event, listener};

#[event]
struct Placed;

#[listener(Placed, every = "10s")]
fn tick() {}

fn main() {}
