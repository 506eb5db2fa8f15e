use tidings::event;

#[event(crate = tidings)]
struct Placed;

fn main() {}
