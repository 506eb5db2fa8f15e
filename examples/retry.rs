//! Retries: what fails for now is tried again in its place, what fails for good is not.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tidings::{Bus, event, listener};

#[event]
struct Placed {
    customer: &'static str,
}

#[derive(Debug)]
enum Bounced {
    Busy,
    NoAddress,
}

impl fmt::Display for Bounced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bounced::Busy => "the mail server is busy",
            Bounced::NoAddress => "no such address",
        })
    }
}

impl Error for Bounced {}

/// A mail server that is busy twice before it takes a mail, for Cleo always.
#[derive(Default)]
struct Server(Mutex<HashMap<&'static str, u32>>);

impl Server {
    fn send(&self, customer: &'static str) -> Result<(), Bounced> {
        let mut tries = self.0.lock().expect("no listener panics");
        let number = tries.entry(customer).or_default();
        *number += 1;
        println!("  mail to {customer}, try {number}");
        match (customer, number) {
            ("Nobody", _) => Err(Bounced::NoAddress),
            ("Cleo", _) | (_, 1 | 2) => Err(Bounced::Busy),
            _ => Ok(()),
        }
    }
}

/// One worker: nothing overtakes a mail that is tried again.
#[listener(
    queue = 16,
    retry = 3,
    backoff = "1ms..10ms",
    retry_if = |error| matches!(error.downcast_ref(), Some(Bounced::Busy))
)]
fn confirm(e: &Placed, server: &Server) -> Result<(), Bounced> {
    server.send(e.customer)
}

fn main() -> Result<(), Box<dyn Error>> {
    let builder = Bus::builder().state(Server::default());
    let builder = builder.on_failure(|failure| println!("  given up: {}", failure.message()));
    let bus = builder.build()?;

    for customer in ["Ada", "Nobody", "Cleo", "Ben"] {
        bus.emit(Placed { customer });
    }

    println!("{}", bus.shutdown_blocking(Duration::from_secs(60))?);
    for (listener, now) in bus.queues() {
        println!("{}:", listener.id());
        println!("  {} delivered, {} failed", now.delivered, now.failed);
        println!("  {} retries", now.retried);
    }
    Ok(())
}
