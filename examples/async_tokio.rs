//! In an ordinary tokio program: async listeners as tasks of its runtime, awaited emissions, a timeout, a clean stop.

use std::error::Error;
use std::time::Duration;

use tidings::{Bus, event, listener};
use tokio::runtime::Handle;
use tokio::sync::{Barrier, mpsc};
use tokio::time::sleep;

#[event]
struct Placed {
    order: u32,
}

struct Desk(Barrier);

#[listener]
async fn charge(e: &Placed, desk: &Desk) -> Paid {
    // Both listeners run at once, or neither would get past this.
    desk.0.wait().await;
    Paid { order: e.order }
}

#[listener]
async fn reserve(_: &Placed, desk: &Desk) {
    desk.0.wait().await;
}

#[event]
struct Paid {
    order: u32,
}

#[listener]
async fn receipt(e: &Paid, printer: &mpsc::Sender<u32>) -> Result<(), mpsc::error::SendError<u32>> {
    printer.send(e.order).await
}

#[event]
struct Tracked;

#[listener(timeout = "50ms")]
async fn ask_carrier(_: &Tracked) {
    sleep(Duration::from_secs(3600)).await;
}

async fn print_next(receipts: &mut mpsc::Receiver<u32>) {
    let order = receipts.recv().await.expect("the bus holds the printer");
    println!("  receipt of order {order}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (printer, mut receipts) = mpsc::channel::<u32>(1);
    let bus = Bus::builder()
        .runtime(Handle::current())
        .state(Desk(Barrier::new(2)))
        .state(printer)
        .on_failure(|failure| println!("  {}: {}", failure.kind(), failure.message()))
        .build()?;

    println!("awaited, both listeners have ended:");
    println!("  {}", bus.emit(Placed { order: 1 }).await);
    print_next(&mut receipts).await;

    println!("not awaited, they are handed to the runtime:");
    println!("  {}", bus.emit(Placed { order: 2 }).report());
    print_next(&mut receipts).await;

    println!("a listener that takes too long:");
    println!("  {}", bus.emit(Tracked).await);

    println!("a clean stop waits for what is under way:");
    bus.emit(Placed { order: 3 });
    println!("  {}", bus.shutdown(Duration::from_secs(60)).await?);
    print_next(&mut receipts).await;
    Ok(())
}
