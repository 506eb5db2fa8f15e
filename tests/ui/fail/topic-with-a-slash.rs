use tidings::event;

#[event("orders/placed")]
struct Placed;

fn main() {}
