use tidings::listener;

#[listener]
fn charge(_: &Order) {}

fn main() {}
