use tidings::event;

#[event(version = "2")]
struct Placed;

fn main() {}
