//! Letters and parcels that two buses exchange over streams in memory.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Envelope, Identity, Link, LinkClient, LinkServer, Right, envelope,
};
use tidings::{Bus, event, listener};
use tokio::sync::{Semaphore, mpsc, watch};

/// Sooner than a heartbeat, which would have a link look for what it forgot.
pub(crate) const SOON: Duration = Duration::from_secs(5);

#[event("post.letter", serde)]
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) number: u32,
}

#[event("post.parcel", serde)]
#[derive(Serialize, Deserialize)]
pub(crate) struct Parcel {
    pub(crate) number: u32,
}

/// What one bus has heard from others.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) all: Mutex<Vec<(u32, Option<Envelope>)>>,
    pub(crate) count: watch::Sender<usize>,
}

impl Heard {
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut now = self.count.subscribe();
        let enough = tokio::time::timeout(SOON, now.wait_for(|now| *now >= count)).await;
        enough.expect("they are heard").unwrap();
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        let all = self.all.lock().unwrap();
        all.iter().map(|(number, _)| *number).collect()
    }
}

#[listener]
pub(crate) fn hear(e: &Letter, heard: &Heard) {
    heard.all.lock().unwrap().push((e.number, envelope()));
    heard.count.send_modify(|count| *count += 1);
}

/// Takes a parcel when it may.
pub(crate) struct Counter {
    pub(crate) may: Semaphore,
    pub(crate) taken: watch::Sender<usize>,
}

#[listener(queue = 1)]
pub(crate) async fn take(_: &Parcel, counter: &Counter) {
    counter.may.acquire().await.expect("it stays open").forget();
    counter.taken.send_modify(|count| *count += 1);
}

pub(crate) fn runtime() -> tokio::runtime::Handle {
    tokio::runtime::Handle::current()
}

pub(crate) fn hearing() -> (Bus, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let builder = Bus::builder().runtime(runtime()).without(take);
    let bus = builder.state(Arc::clone(&heard)).on_failure(|_| ()).build();
    (bus.unwrap(), heard)
}

pub(crate) fn telling() -> (Bus, mpsc::UnboundedReceiver<String>) {
    let (sender, told) = mpsc::unbounded_channel();
    let builder = Bus::builder().runtime(runtime()).without((take, hear));
    let tell = move |failure: &tidings::Failure| drop(sender.send(failure.to_string()));
    (builder.on_failure(tell).build().unwrap(), told)
}

pub(crate) fn bob() -> Identity {
    Identity::new("bob")
}

pub(crate) fn all() -> Access {
    let access = Access::nothing().allow(&bob(), Right::Publish, "**");
    let access = access.unwrap().allow(&bob(), Right::Subscribe, "**");
    access.unwrap()
}

pub(crate) fn link() -> Link {
    Link::new("post").backoff(Duration::ZERO, Duration::from_millis(20))
}

pub(crate) fn serve(link: Link, bus: &Bus) -> Arc<LinkServer> {
    Arc::new(link.serve(bus, all()).unwrap())
}

/// Streams in memory that a server accepts: every dial makes one.
pub(crate) fn wired(link: Link, bus: &Bus, server: &Arc<LinkServer>) -> LinkClient {
    let server = Arc::clone(server);
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(4096);
        server.accept(theirs, bob());
        async { Ok::<_, io::Error>(ours) }
    };
    link.connect(bus, dial).unwrap()
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(SOON, future).await;
    ended.expect("it does not wait for ever")
}
