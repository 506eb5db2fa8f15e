use tidings::event;

#[event(version = 0)]
struct Placed;

fn main() {}
