use tidings::event;

#[event(version = 2, version = 3)]
struct Placed;

fn main() {}
