use tidings::listener;

struct Order;

#[listener("orders.*")]
fn charge(_: &Order) {}

fn main() {}
