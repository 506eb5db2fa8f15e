//! Two events, several listeners, one of which fails, and the report that says so.

use std::error::Error;
use std::fmt;

use tidings::{Bus, event, listener};

#[event("orders.placed")]
struct OrderPlaced {
    order: u64,
    cents: u64,
}

#[event("orders.shipped")]
struct OrderShipped {
    order: u64,
    carrier: String,
}

#[derive(Debug)]
struct NoAddress {
    order: u64,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order #{} has no e-mail address", self.order)
    }
}

impl Error for NoAddress {}

#[listener]
fn book_revenue(e: &OrderPlaced) {
    println!("booked {} cents for order #{}", e.cents, e.order);
}

#[listener(when = |e| e.cents >= 100_000)]
fn alert_large_order(e: &OrderPlaced) {
    println!("large order #{}", e.order);
}

#[listener(early)]
fn mail_tracking_number(e: &OrderShipped) -> Result<(), NoAddress> {
    Err(NoAddress { order: e.order })
}

#[listener]
fn update_stock(e: &OrderShipped) {
    println!("took order #{} out of stock", e.order);
}

#[listener]
fn schedule_pickup(e: &OrderShipped) {
    println!("{} picks up order #{}", e.carrier, e.order);
}

fn main() -> Result<(), Box<dyn Error>> {
    // The report below shows the failure, so nothing is printed when it happens.
    let bus = Bus::builder().on_failure(|_| {}).build()?;

    let placed = bus.emit(OrderPlaced {
        order: 7,
        cents: 4_200,
    });
    println!("{}\n", placed.report());

    let shipped = bus.emit(OrderShipped {
        order: 7,
        carrier: "DHL".into(),
    });
    let error = shipped.report().result().expect_err("one listener fails");
    println!("{}", error.report());
    if let Some(source) = error.source().filter(|source| source.is::<NoAddress>()) {
        println!("the first error, with its type: {source}");
    }
    Ok(())
}
