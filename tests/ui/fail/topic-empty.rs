use tidings::event;

#[event("")]
struct Placed;

fn main() {}
