use tidings::{event, listener};

#[event]
struct Placed;

#[listener(debounce = "200ms", limit = 2, overlap = "serial")]
async fn search(_: &Placed) {}

fn main() {}
