use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, retry = 3, backoff = "5s..100ms")]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
