use tidings::listener;

#[listener(every = "10s", debounce = "1s", throttle = "1s")]
fn tick() {}

fn main() {}
