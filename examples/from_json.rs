//! Events by name, with a payload that nobody knew at compile time, as `emit('new_order', {...})` in Python.

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings::{AnyEvent, Bus, event, listener};

/// `serde` lets the event be read from JSON, and written.
#[event(serde)]
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    order_id: u64,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    cents: u64,
}

#[event]
struct Internal;

/// The listener is the same as for a typed `emit`.
#[listener]
fn handle_new_order(order: &NewOrder) {
    let total: u64 = order.items.iter().map(|item| item.cents).sum();
    let names: Vec<_> = order.items.iter().map(|item| item.name.as_str()).collect();
    println!("order #{}: {names:?}, {total} cents", order.order_id);
}

#[listener("**", late)]
fn audit(e: &AnyEvent<'_>) {
    match e.to_json() {
        Ok(json) => println!("{} {json}", e.topic()),
        Err(error) => println!("{error}"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let bus = Bus::builder().build()?;

    let payload = json!({ "order_id": 123, "items": [{ "name": "Coffee", "cents": 250 }] });
    let report = bus.emit_json("new_order", &payload.to_string())?.report();
    println!("{report}\n");
    bus.emit(Internal);

    println!("\nnothing of these is delivered:");
    let wrong = [
        ("new_oder", json!({})),
        ("new_order", json!({ "order_id": 123 })),
        (
            "new_order",
            json!({ "order_id": 1, "items": [{ "name": "Tea", "cents": -5 }] }),
        ),
        ("new_order", json!({ "order_id": 1, "items": [], "vip": 1 })),
        ("internal", json!(null)),
    ];
    for (topic, payload) in wrong {
        match bus.emit_json(topic, &payload.to_string()) {
            Ok(emission) => println!("{}", emission.report()),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}
