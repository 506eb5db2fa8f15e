use tidings::listener;

#[listener(every = "10s")]
fn tick(_: u32) {}

fn main() {}
