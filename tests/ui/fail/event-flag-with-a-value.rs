use tidings::event;

#[event(stoppable = true)]
struct Placed;

fn main() {}
