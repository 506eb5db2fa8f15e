//! State: what listeners need beside the event, given once to the bus.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidings::{Bus, event, listener};

#[event]
struct Paid {
    order: u64,
    cents: u64,
}

#[derive(Default)]
struct Revenue(AtomicU64);

#[derive(Default)]
struct Ledger(Mutex<Vec<String>>);

struct Discount {
    percent: u64,
}

trait Clock: Send + Sync {
    fn today(&self) -> String;
}

/// Always the same day.
struct Fixed(&'static str);

impl Clock for Fixed {
    fn today(&self) -> String {
        self.0.to_owned()
    }
}

/// `Option<&T>` is state that may be absent.
#[listener]
fn add_up(e: &Paid, revenue: &Revenue, discount: Option<&Discount>) {
    let percent = 100 - discount.map_or(0, |discount| discount.percent);
    let cents = e.cents * percent / 100;
    revenue.0.fetch_add(cents, Ordering::Relaxed);
}

/// `&dyn Trait` is state that was given as `Arc<dyn Trait>`.
#[listener]
fn write_down(e: &Paid, ledger: &Ledger, clock: &dyn Clock) {
    let line = format!("{}: order #{}", clock.today(), e.order);
    ledger.0.lock().expect("no listener panics").push(line);
}

fn main() -> Result<(), Box<dyn Error>> {
    // A bus that lacks state is not built, and the error names all of it.
    let error = Bus::builder().build().expect_err("no state is given");
    for problem in error.problems() {
        println!("[{}] {}", problem.code(), problem.message());
    }

    // Kept in an `Arc`, state can be looked at from here too.
    let revenue = Arc::new(Revenue::default());
    let ledger = Arc::new(Ledger::default());
    let bus = Bus::builder()
        .state(Arc::clone(&revenue))
        .state(Arc::clone(&ledger))
        .state(Discount { percent: 10 })
        .state::<Arc<dyn Clock>>(Arc::new(Fixed("2024-05-01")))
        .build()?;
    for (order, cents) in [(1, 250), (2, 750)] {
        bus.emit(Paid { order, cents });
    }

    println!("revenue: {} cents", revenue.0.load(Ordering::Relaxed));
    let lines = ledger.0.lock().expect("no listener panics");
    println!("{}", lines.join("\n"));
    Ok(())
}
