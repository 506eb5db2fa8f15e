use tidings::listener;

#[listener]
struct Placed;

fn main() {}
