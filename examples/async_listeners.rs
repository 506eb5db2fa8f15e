//! Async listeners: in the awaiting task, or handed to a runtime. Who emits and who listens stay the same.

use std::error::Error;
use std::sync::Arc;

use tidings::{Bus, event, listener};
use tokio::sync::Notify;

#[event]
struct Placed {
    order: u64,
}

#[event]
struct Confirmed {
    order: u64,
}

#[derive(Default)]
struct Stock(Notify);

#[derive(Default)]
struct Done(Notify);

#[listener]
fn book(e: &Placed) {
    println!("  order {}: booked before `emit` returned", e.order);
}

/// Waits for the listener below: both run at once.
#[listener]
async fn confirm(e: &Placed, stock: &Stock) -> Confirmed {
    println!("  order {}: waits for the stock", e.order);
    stock.0.notified().await;
    Confirmed { order: e.order }
}

#[listener]
async fn reserve(e: &Placed, stock: &Stock) {
    tokio::task::yield_now().await;
    println!("  order {}: reserved", e.order);
    stock.0.notify_one();
}

#[listener]
fn confirmed(e: &Confirmed, done: &Done) {
    println!("  order {}: confirmed", e.order);
    done.0.notify_one();
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("in the awaiting task, on any executor:");
    let builder = Bus::builder().on_failure(|failure| println!("  {failure}"));
    let builder = builder.state(Stock::default()).state(Done::default());
    let bus = builder.build()?;
    let report = futures::executor::block_on(async { bus.emit(Placed { order: 1 }).await });
    println!("{report}");

    println!("\nneither awaited nor handed to a runtime: nothing is lost in silence");
    drop(bus.emit(Placed { order: 2 }));

    println!("\nhanded to a runtime, here tokio's:");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let done = Arc::new(Done::default());
    let builder = Bus::builder().runtime(runtime.handle().clone());
    let builder = builder.state(Stock::default()).state(Arc::clone(&done));
    let bus = builder.build()?;
    runtime.block_on(async {
        println!("{}", bus.emit(Placed { order: 3 }).report());
        done.0.notified().await;

        println!("\nhanded to a runtime and awaited:");
        println!("{}", bus.emit(Placed { order: 4 }).await);
    });
    Ok(())
}
