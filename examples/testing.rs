//! Testing: a listener is a function, and a bus is a value. `cargo test --example testing` runs the tests below.

use std::error::Error;
use std::sync::{Arc, Mutex};

use tidings::{Bus, event, listener};

#[event]
struct Placed {
    cents: u64,
}

#[derive(Default)]
struct Outbox(Mutex<Vec<String>>);

impl Outbox {
    fn put(&self, line: String) {
        self.0.lock().expect("no listener panics").push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no listener panics").clone()
    }
}

#[listener]
fn thank(e: &Placed, outbox: &Outbox) {
    outbox.put(format!("thank you for {} cents", e.cents));
}

#[listener(when = |e| e.cents > 10_000)]
fn call_manager(e: &Placed, outbox: &Outbox) {
    outbox.put(format!("somebody spent {} cents", e.cents));
}

/// Called as it is, without a bus.
fn plain_call() -> Vec<String> {
    let outbox = Outbox::default();
    thank(&Placed { cents: 5 }, &outbox);
    outbox.lines()
}

/// A bus with one listener and its own state; `without` leaves out instead of keeping.
fn one_listener() -> Result<Vec<String>, Box<dyn Error>> {
    let outbox = Arc::new(Outbox::default());
    let builder = Bus::builder().state(Arc::clone(&outbox));
    let bus = builder.only(call_manager).build()?;
    bus.emit(Placed { cents: 5 }).report().result()?;
    bus.emit(Placed { cents: 50_000 }).report().result()?;
    Ok(outbox.lines())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", plain_call());
    println!("{:?}", one_listener()?);
    let nobody = Bus::builder().without((thank, call_manager)).build()?;
    println!("{}", nobody.emit(Placed { cents: 5 }).report());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{one_listener, plain_call};

    #[test]
    fn a_customer_is_thanked() {
        assert_eq!(plain_call(), ["thank you for 5 cents"]);
    }

    #[test]
    fn the_manager_hears_of_large_orders_only() {
        let lines = one_listener().expect("the bus is complete and nothing fails");

        assert_eq!(lines, ["somebody spent 50000 cents"]);
    }
}
