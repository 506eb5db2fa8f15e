use tidings::listener;

#[listener(every = 10)]
fn tick() {}

fn main() {}
