use tidings::{event, listener};

#[event("orders.placed")]
struct Placed;

#[event]
struct Booked;

#[listener(queue = 64, retry = 3, backoff = "1s..5s", retry_if = |_| true)]
fn book(_: &Placed) {}

fn main() {}
