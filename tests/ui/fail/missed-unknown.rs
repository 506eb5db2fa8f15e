use tidings::listener;

#[listener(every = "10s", missed = "skipp")]
fn tick() {}

#[listener(every = "10s", missed = "never")]
fn tock() {}

fn main() {}
