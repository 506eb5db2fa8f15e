use tidings::{event, listener};

#[event]
struct Placed;

#[listener(missed = "burst")]
fn book(_: &Placed) {}

#[listener(debounce = "1s", missed = "burst")]
fn search(_: &Placed) {}

fn main() {}
