//! A clean stop: what was accepted is delivered, what cannot be in time is listed by listener.

use std::error::Error;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tidings::{Bus, BusBuilder, event, listener};

#[event]
struct Placed {
    order: u32,
}

#[event]
struct Booked {
    order: u32,
}

/// What it returns is still emitted while the bus is being shut down.
#[listener(queue = 16)]
fn book(e: &Placed) -> Booked {
    Booked { order: e.order }
}

#[listener]
fn thank(e: &Booked) {
    println!("  thank you for order {}", e.order);
}

#[event]
struct Shipped {
    order: u32,
}

/// The carrier's vans, which may not come.
struct Vans(Mutex<Receiver<()>>);

#[listener(queue = 16)]
fn ship(e: &Shipped, vans: &Vans) {
    let van = vans.0.lock().expect("no listener panics").recv();
    if van.is_ok() {
        println!("  order {} is on its way", e.order);
    }
}

fn builder() -> BusBuilder {
    Bus::builder().on_failure(|failure| println!("  {failure}"))
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("everything ends in time:");
    let bus = builder().without(ship).build()?;
    for order in 1..=3 {
        bus.emit(Placed { order });
    }
    println!("{}", bus.shutdown_blocking(Duration::from_secs(60))?);

    println!("\nwho comes later is told:");
    bus.emit(Placed { order: 4 });

    println!("\nno van comes:");
    let (_van, vans) = channel();
    let bus = builder().state(Vans(Mutex::new(vans))).build()?;
    for order in 1..=3 {
        bus.emit(Shipped { order });
    }
    while bus.queues().iter().all(|(_, now)| now.in_flight == 0) {
        thread::yield_now();
    }
    let shutdown = bus.shutdown_blocking(Duration::from_millis(100))?;
    for left in shutdown.left() {
        let (waiting, running) = (left.waiting(), left.in_flight().len());
        let id = left.listener().id();
        println!("left by {id}: {waiting} waiting, {running} running");
    }
    Ok(())
}
