//! Queues: deliveries leave the emitter, keep the order of their key among several workers, come in batches, and a full queue says so.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tidings::{Bus, ListenerInfo, QueueStats, event, listener};

#[event]
struct Placed {
    customer: &'static str,
    order: u32,
}

/// The orders of each customer as they were booked.
type Books = Mutex<BTreeMap<&'static str, Vec<u32>>>;

/// Four workers share the queue; the orders of one customer run one after another.
#[listener(queue = 64, workers = 4, key = |e| e.customer)]
fn book(e: &Placed, books: &Books) {
    let mut books = books.lock().expect("no listener panics");
    books.entry(e.customer).or_default().push(e.order);
}

/// One call for the orders that wait.
#[listener(queue = 64, batch = 16)]
fn archive(orders: &[&Placed]) {
    assert!((1..=16).contains(&orders.len()), "it waits for none");
}

#[event]
struct Printed {
    page: u32,
}

#[listener(queue = 2, overflow = "reject")]
fn print(e: &Printed, paper: &Mutex<Receiver<()>>) {
    let sheet = paper.lock().expect("no listener panics").recv();
    sheet.expect("there is paper before the end");
    println!("  printed page {}", e.page);
}

fn main() -> Result<(), Box<dyn Error>> {
    let (refill, paper) = channel();
    let books = Arc::new(Books::default());
    let builder = Bus::builder().state(Arc::clone(&books));
    let builder = builder.on_failure(|failure| println!("  {failure}"));
    let bus = builder.state(Mutex::new(paper)).build()?;

    for order in 1..=5 {
        for customer in ["Ada", "Ben", "Cleo"] {
            bus.emit(Placed { customer, order });
        }
    }
    bus.emit(Printed { page: 1 });
    // The first page leaves the queue and waits for paper.
    let prints = |(listener, now): &(ListenerInfo, QueueStats)| {
        listener.function() == "print" && now.in_flight == 1
    };
    while !bus.queues().iter().any(prints) {
        thread::yield_now();
    }
    println!("two more pages find room:");
    (2..=5).for_each(|page| drop(bus.emit(Printed { page })));
    (0..3).try_for_each(|_| refill.send(()))?;

    let shutdown = bus.shutdown_blocking(Duration::from_secs(60))?;
    println!("{shutdown}:");
    println!("  {:?}", books.lock().expect("no listener panics"));
    for (listener, now) in bus.queues() {
        let (id, done, no) = (listener.id(), now.delivered, now.rejected);
        println!("  {id}: {done} delivered, {no} rejected");
    }
    Ok(())
}
