//! Subscriptions: listeners that come and go while the program runs.

use std::error::Error;

use tidings::{Bus, event, listener};

#[event("orders.placed")]
struct Placed {
    order: u64,
}

#[event("orders.cancelled")]
struct Cancelled {
    order: u64,
}

#[listener(late)]
fn linked(e: &Placed) {
    println!("  linked, also when late: #{}", e.order);
}

fn main() -> Result<(), Box<dyn Error>> {
    let bus = Bus::builder().build()?;

    println!("on: until the subscription is dropped");
    let subscription = bus.on(|e: &Placed| println!("  on: #{}", e.order));
    bus.emit(Placed { order: 1 });
    drop(subscription);
    bus.emit(Placed { order: 2 });

    println!("once: one event, or none");
    let once = bus.once(|e: &Cancelled| println!("  once: #{}", e.order));
    bus.emit(Cancelled { order: 1 });
    let report = bus.emit(Cancelled { order: 2 }).report();
    println!("  heard again: {}", report.heard());
    drop(once);

    println!("on_topic: whatever matches");
    let audit = bus.on_topic("orders.*", |e| println!("  on_topic: {}", e.topic()))?;
    bus.emit(Placed { order: 3 });
    bus.emit(Cancelled { order: 3 });
    drop(audit);

    println!("forever: as long as the bus lives; a weak handle, since the bus owns the closure");
    let weak = bus.downgrade();
    bus.on(move |e: &Cancelled| {
        println!("  forever: #{} is placed again", e.order);
        if let Some(bus) = weak.upgrade() {
            bus.emit(Placed { order: e.order });
        }
    })
    .forever();
    bus.emit(Cancelled { order: 4 });
    Ok(())
}
