use tidings::listener;

#[listener(every = "0s")]
fn tick() {}

fn main() {}
