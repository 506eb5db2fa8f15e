use tidings::listener;

#[listener(every)]
fn tick() {}

fn main() {}
