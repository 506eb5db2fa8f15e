use tidings::listener;

#[listener(every = "10s", timeout = "1s")]
fn tick() {}

fn main() {}
