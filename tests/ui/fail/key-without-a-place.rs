use tidings::{event, listener};

#[event]
struct Placed(u32);

#[listener(key = |e| e.0)]
fn book(_: &Placed) {}

fn main() {}
