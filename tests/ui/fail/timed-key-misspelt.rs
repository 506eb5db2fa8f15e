use tidings::listener;

#[listener(evry = "10s")]
fn tick() {}

fn main() {}
