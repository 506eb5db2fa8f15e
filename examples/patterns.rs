//! Patterns: an audit that hears everything, and a module that hears a family of topics.

use std::error::Error;
use std::sync::Mutex;

use tidings::{AnyEvent, Bus, event, listener};

#[event("orders.placed")]
struct Placed {
    order: u64,
}

#[event("orders.item.returned")]
struct ItemReturned {
    order: u64,
    item: String,
}

#[event("customers.joined", version = 2)]
struct Joined;

#[derive(Default)]
struct Audit(Mutex<Vec<String>>);

/// `**` stands last, for one segment or more.
#[listener("**", early)]
fn audit(e: &AnyEvent<'_>, audit: &Audit) {
    let line = format!("{} v{}", e.topic(), e.version());
    audit.0.lock().expect("no listener panics").push(line);
}

/// `*` is exactly one segment, so `orders.item.returned` is not heard here.
#[listener("orders.*")]
fn one_level(e: &AnyEvent<'_>) {
    println!("orders.*  heard {}", e.topic());
}

/// The payload is there for who knows its type.
#[listener("orders.**")]
fn all_levels(e: &AnyEvent<'_>) {
    let order = e.downcast_ref::<Placed>().map(|placed| placed.order);
    println!("orders.** heard {}, order {order:?}", e.topic());
}

/// A pattern beside a known type is checked by the compiler: it must be able to match.
#[listener("*.item.*")]
fn put_back(e: &ItemReturned) {
    println!("*.item.*  heard {} of order #{}", e.item, e.order);
}

fn main() -> Result<(), Box<dyn Error>> {
    let lines = std::sync::Arc::new(Audit::default());
    let bus = Bus::builder()
        .state(std::sync::Arc::clone(&lines))
        .build()?;

    bus.emit(Placed { order: 7 });
    bus.emit(ItemReturned {
        order: 7,
        item: "mug".into(),
    });
    bus.emit(Joined);

    println!("audit: {:?}", lines.0.lock().expect("no listener panics"));

    // The same patterns serve subscriptions; there a bad one is an error at run time.
    let error = bus.on_topic("orders.**.returned", |_| {}).unwrap_err();
    println!("{error}");
    Ok(())
}
