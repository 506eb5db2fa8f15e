use std::time::Duration;

use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, retry = 3, backoff = (Duration::ZERO, Duration::from_secs(5)))]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
