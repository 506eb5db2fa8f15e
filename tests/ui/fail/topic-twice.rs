use tidings::event;

#[event("orders.placed", "orders.new")]
struct Placed;

fn main() {}
