use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Db;

#[listener]
fn charge(_: &Placed, _db: Db) {}

fn main() {}
