use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Refused;

#[listener]
fn charge(_: &Placed) -> Result<(), Refused> {
    Err(Refused)
}

fn main() {}
