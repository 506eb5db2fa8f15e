use tidings::event;

#[event("orders.*")]
struct Placed;

fn main() {}
