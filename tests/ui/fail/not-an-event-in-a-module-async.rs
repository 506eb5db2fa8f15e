use tidings::listener;

mod orders {
    pub struct Order;
}

#[listener]
async fn charge(_: &orders::Order) {}

fn main() {}
