use tidings::event;

#[event("orders.placed" version = 2)]
struct Placed;

fn main() {}
