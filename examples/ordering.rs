//! Order: phases, relations between functions, and ids for listeners that are private elsewhere.

use tidings::{BuildError, Bus, event, listener};

#[event]
struct OrderPlaced {
    order: u64,
}

#[listener(late)]
fn log(e: &OrderPlaced) {
    println!("log order #{}", e.order);
}

mod billing {
    use super::OrderPlaced;
    use tidings::listener;

    // Private, but it has an id.
    #[listener(id = "billing.charge", after = super::reserve_stock)]
    fn charge(e: &OrderPlaced) {
        println!("charge order #{}", e.order);
    }
}

#[listener(after = "billing.charge")]
fn send_receipt(e: &OrderPlaced) {
    println!("send the receipt of order #{}", e.order);
}

#[listener]
fn reserve_stock(e: &OrderPlaced) {
    println!("reserve the stock of order #{}", e.order);
}

#[listener(early)]
fn check(e: &OrderPlaced) {
    println!("check order #{}", e.order);
}

fn main() -> Result<(), BuildError> {
    let bus = Bus::builder().build()?;
    println!("{}", bus.emit(OrderPlaced { order: 7 }).report());

    // What no relation decides, the place in the source does: the same in every build.
    println!("\nwithout the charge, and with a relation to nobody:");
    let bus = Bus::builder().without_ids(["billing.charge"]).build()?;
    bus.emit(OrderPlaced { order: 8 });
    Ok(())
}
