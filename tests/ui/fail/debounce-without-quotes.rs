use tidings::{event, listener};

#[event]
struct Placed;

#[listener(debounce = 200)]
fn search(_: &Placed) {}

fn main() {}
