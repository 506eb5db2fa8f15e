use tidings::listener;

#[listener(every = "10s", queue = 64, batch = 8, overflow = "reject")]
fn tick() {}

fn main() {}
