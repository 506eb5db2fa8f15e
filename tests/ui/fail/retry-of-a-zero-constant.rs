use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

const NONE: u32 = 0;

#[listener(queue = 64, retry = NONE)]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
