use tidings::event;

#[event(priority = 3)]
struct Placed;

fn main() {}
