use tidings::listener;

struct Order;

#[listener]
async fn charge(_: &Order) {}

fn main() {}
