use tidings::{event, listener};

#[event]
struct Placed;

#[listener(debounce = "0ms")]
fn search(_: &Placed) {}

fn main() {}
