//! Methods: an instance whose listeners are attached to a bus, and taken out again.

use std::error::Error;
use std::sync::{Arc, Mutex};

use tidings::{Bus, event, listeners};

#[event]
struct OrderShipped {
    order: u64,
    address: String,
}

#[event]
struct MailSent {
    to: String,
}

struct Mailer {
    sender: &'static str,
    sent: Mutex<Vec<String>>,
}

#[listeners]
impl Mailer {
    fn new(sender: &'static str) -> Self {
        Self {
            sender,
            sent: Mutex::default(),
        }
    }

    /// A method with `&self` listens for the instance that is attached.
    #[listener]
    fn confirm(&self, e: &OrderShipped) -> MailSent {
        let line = format!("{}: order #{} is on its way", self.sender, e.order);
        self.sent.lock().expect("no listener panics").push(line);
        MailSent {
            to: e.address.clone(),
        }
    }

    /// A function without `&self` listens from the start, like any `#[listener]`.
    #[listener]
    fn count(e: &MailSent) {
        println!("a mail went to {}", e.to);
    }
}

fn ship(bus: &Bus, order: u64) {
    let address = format!("customer{order}@example.org");
    let report = bus.emit(OrderShipped { order, address }).report();
    println!("order #{order}: {report}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let bus = Bus::builder().build()?;
    let shop = Arc::new(Mailer::new("shop"));
    let club = Arc::new(Mailer::new("club"));

    let _shop = bus.attach(Arc::clone(&shop))?;
    let subscription = bus.attach(Arc::clone(&club))?;
    ship(&bus, 1);

    drop(subscription);
    ship(&bus, 2);

    for mailer in [shop, club] {
        for line in mailer.sent.lock().expect("no listener panics").iter() {
            println!("{line}");
        }
    }
    Ok(())
}
