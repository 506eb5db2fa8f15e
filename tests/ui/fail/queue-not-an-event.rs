use tidings::listener;

struct Placed;

#[listener(queue = 64)]
fn charge(_: &Placed) {}

fn main() {}
