use tidings::event;

#[event(unheard = "panic")]
struct Placed;

fn main() {}
