use tidings::listener;

#[listener(every = "10s", when = |_| true)]
fn tick() {}

fn main() {}
