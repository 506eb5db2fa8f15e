use tidings::event;

#[event(stopable)]
struct Placed;

fn main() {}
