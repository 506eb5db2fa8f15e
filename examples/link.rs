//! Two programs in one: each has its bus, and a link carries events and requests between them over TCP.
//!
//! The connection is cut in between: what is emitted meanwhile arrives when it is there again.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{Access, Identity, Link, LinkLost, LinkServer, Right};
use tidings::{Bus, event, listener};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

const SOON: Duration = Duration::from_secs(10);

#[event("till.sold", serde)]
#[derive(Serialize, Deserialize)]
struct Sold {
    cents: u64,
}

#[event("till.total", serde, reply = u64)]
#[derive(Serialize, Deserialize)]
struct GetTotal;

/// The office has one; a till has none, and none of the listeners that need it.
#[derive(Default)]
struct Ledger(Mutex<Vec<u64>>);

#[listener]
fn book(e: &Sold, ledger: Option<&Ledger>) {
    if let Some(ledger) = ledger {
        println!("office: {} cents", e.cents);
        ledger.0.lock().expect("no listener panics").push(e.cents);
    }
}

#[listener(reply)]
fn total(_: &GetTotal, ledger: &Ledger) -> u64 {
    ledger.0.lock().expect("no listener panics").iter().sum()
}

async fn open(office: &Bus, address: SocketAddr) -> Result<LinkServer, Box<dyn Error>> {
    // Who comes over this socket is the till: certificates say so where others could come.
    let till = Identity::new("till");
    let access = Access::nothing().allow(&till, Right::Publish, "till.*")?;
    let link = Link::new("office").subscribe("till.sold")?;
    let server = link.answers::<GetTotal>().serve(office, access)?;
    server.listen_tcp(TcpListener::bind(address).await?, till)?;
    Ok(server)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ledger = Arc::new(Ledger::default());
    let office = Bus::builder()
        .runtime(Handle::current())
        .state(Arc::clone(&ledger))
        .build()?;
    let till = Bus::builder()
        .runtime(Handle::current())
        .without(total)
        .build()?;
    till.on(|_: &LinkLost| println!("till: the office is away"))
        .forever();

    // A port that is free now, for the office to come back to.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let server = open(&office, address).await?;
    let link = Link::new("till")
        .publish("till.sold")?
        .asks::<GetTotal>()
        .backoff(Duration::from_millis(50), Duration::from_millis(50));
    let link = link.connect_tcp(&till, address)?;
    link.opened().await?;

    let heard = office.next::<Sold>();
    till.emit(Sold { cents: 250 }).await;
    heard.await?;

    let away = till.next::<LinkLost>();
    server.close(SOON).await?;
    away.await?;
    till.emit(Sold { cents: 480 }).await;
    till.emit(Sold { cents: 20 }).await;
    println!(
        "till: {} wait",
        till.queues()[0].1.in_flight + till.queues()[0].1.depth
    );

    let server = open(&office, address).await?;
    // The till's bus ends when the office has everything.
    assert!(till.shutdown(SOON).await?.is_clean());
    println!("till: {} arrived", till.queues()[0].1.delivered);
    println!("office: {} in all", office.request(GetTotal).await?);
    link.close(SOON).await?;
    drop(server);
    Ok(())
}
