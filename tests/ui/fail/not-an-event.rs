use tidings::listener;

struct Order;

#[listener]
fn charge(_: &Order) {}

fn main() {}
