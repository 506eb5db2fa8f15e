use std::time::Duration;

use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(5);

#[listener(queue = 64, retry = 3, backoff = (LONG, SHORT))]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
