//! Testing what takes time: a payment that is tried again for hours, a receipt that is slow, a bank that is down.
//! `cargo test --example testing_time --features test` runs the tests below.

use std::sync::Arc;
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{event, listener};

#[event]
struct Placed {
    order: u64,
}

#[event]
struct Paid {
    order: u64,
}

/// The real one talks to the network.
trait Bank: Send + Sync {
    fn book(&self, order: u64) -> Result<(), String>;
}

#[listener(queue = 64, retry = 2, backoff = "1h..1h")]
fn charge(e: &Placed, bank: &dyn Bank) -> Result<Paid, String> {
    bank.book(e.order)?;
    Ok(Paid { order: e.order })
}

#[listener(timeout = "30s")]
async fn receipt(_: &Paid) {}

struct Rich;

impl Bank for Rich {
    fn book(&self, _: u64) -> Result<(), String> {
        Ok(())
    }
}

fn bus() -> TestBus {
    TestBus::builder()
        .state(Arc::new(Rich) as Arc<dyn Bank>)
        .build()
}

/// Two hours in no time.
fn the_bank_opens_late() -> String {
    let bus = bus();
    bus.fail(charge).times(2).with("closed");
    bus.emit(Placed { order: 7 });
    let run = bus.settle_blocking();
    run.heard_by(charge).once().tries(3).ok();
    run.emitted::<Paid>().one(|paid| paid.order == 7);
    run.heard_by(receipt).once().ok();
    format!("after {:?}: {run}", bus.elapsed())
}

/// The printer takes a minute, and a receipt may take half of one.
fn the_printer_is_slow() -> String {
    let bus = bus();
    bus.delay(receipt, Duration::from_secs(60));
    bus.emit(Paid { order: 8 });
    bus.advance(Duration::from_secs(29));
    assert!(!bus.run().to_string().contains("failure"));
    let run = bus.settle_blocking();
    run.heard_by(receipt).once().failed_with("within 30s");
    run.to_string()
}

fn main() {
    println!("{}", the_bank_opens_late());
    println!("{}", the_printer_is_slow());
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_payment_is_tried_until_the_bank_opens() {
        super::the_bank_opens_late();
    }

    #[test]
    fn a_receipt_that_is_too_slow_is_given_up() {
        super::the_printer_is_slow();
    }
}
