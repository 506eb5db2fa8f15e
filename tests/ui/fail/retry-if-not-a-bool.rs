use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, retry = 3, retry_if = |error| error.to_string())]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
