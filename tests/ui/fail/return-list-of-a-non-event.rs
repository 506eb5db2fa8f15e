use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

mod bank {
    pub struct Paid;
}

#[listener]
fn charge(_: &Placed) -> std::vec::Vec<bank::Paid> {
    Vec::new()
}

fn main() {}
