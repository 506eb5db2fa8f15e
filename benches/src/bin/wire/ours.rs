//! A link.

use std::error::Error;
use std::time::Duration;

use tidings::Bus;
use tidings::transport::wire::{Access, Identity, Link, Right};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::reading;

const LONG: Duration = Duration::from_mins(1);

/// Hears events.
///
/// # Errors
///
/// When the system refuses.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let bus = Bus::builder().runtime(Handle::current());
    let bus = bus.only(crate::heard).build()?;
    let sender = Identity::new("sender");
    let access = Access::nothing().allow(&sender, Right::Publish, "bench.*")?;
    let server = Link::new("receiver").subscribe("bench.*")?;
    let server = server.serve(&bus, access)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    server.listen_tcp(listener, sender)?;
    std::future::pending().await
}

/// Emits so many events, and waits until the other side has all.
///
/// # Errors
///
/// When the server is not there.
pub(crate) async fn send(port: u16, events: u64) -> Result<(), Box<dyn Error>> {
    // The listener that hears it is the other process's.
    let bus = Bus::builder().runtime(Handle::current());
    let bus = bus.only_ids([]).build()?;
    let link = Link::new("sender").publish("bench.*")?;
    let link = link.connect_tcp(&bus, ([127, 0, 0, 1], port).into())?;
    link.opened().await?;
    for number in 0..events {
        bus.emit(reading(number)).await;
    }
    Ok(link.close(LONG).await?)
}
