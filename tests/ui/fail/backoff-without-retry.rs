use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, backoff = "100ms..5s")]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
