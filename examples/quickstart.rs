//! The first program: an event, a listener, an emission.

use tidings::{emit, event, listener};

#[event]
struct NewOrder {
    order_id: u64,
    item: String,
}

#[listener]
fn handle_new_order(order: &NewOrder) {
    println!("Processing order #{} for {}", order.order_id, order.item);
}

fn main() {
    emit(NewOrder {
        order_id: 123,
        item: "Coffee".into(),
    });
}
