//! A shop that tells another program what is bought, through a proxy that breaks the connection.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, EventId, Identity, Limits, Link, LinkClient, LinkLost, LinkOpened, LinkServer, Right,
    envelope,
};
use tidings::{Bus, event, listener};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::proxy::{Fault, Proxy};

pub(crate) const SOON: Duration = Duration::from_secs(20);

#[event("shop.bought", serde)]
#[derive(Serialize, Deserialize)]
pub(crate) struct Bought {
    pub(crate) number: u32,
    note: String,
}

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) all: Mutex<Vec<(u32, EventId)>>,
    count: watch::Sender<usize>,
}

#[listener]
fn hear(e: &Bought, heard: Option<&Heard>) {
    if let (Some(heard), Some(envelope)) = (heard, envelope()) {
        heard.all.lock().unwrap().push((e.number, envelope.id));
        heard.count.send_modify(|count| *count += 1);
    }
}

impl Heard {
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut now = self.count.subscribe();
        let enough = tokio::time::timeout(SOON, now.wait_for(|now| *now >= count)).await;
        enough
            .unwrap_or_else(|_| panic!("{} were heard", *self.count.borrow()))
            .unwrap();
    }

    /// Each number, once, in order; and that whatever came twice had the same id.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let all = self.all.lock().unwrap();
        let different: HashSet<_> = all.iter().collect();
        let mut numbers: Vec<u32> = different.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        let mut once = Vec::new();
        all.iter().for_each(|(number, _)| {
            if !once.contains(number) {
                once.push(*number);
            }
        });
        assert_eq!(numbers, once, "in order, and each with one id");
        numbers
    }
}

pub(crate) fn bob() -> Identity {
    Identity::new("bob")
}

/// A peer is missed soon, so that a test of it is short.
pub(crate) fn impatient() -> Limits {
    let soon = Duration::from_millis(300);
    Limits::default().idle(soon).handshake(soon)
}

pub(crate) fn link(limits: Limits) -> Link {
    let link = Link::new("shop").limits(limits);
    link.backoff(Duration::ZERO, Duration::from_millis(50))
}

pub(crate) struct Setting {
    pub(crate) here: Bus,
    pub(crate) there: Bus,
    pub(crate) heard: Arc<Heard>,
    pub(crate) server: LinkServer,
    pub(crate) address: SocketAddr,
    pub(crate) proxy: Proxy,
    pub(crate) client: LinkClient,
}

/// How the two sides get at each other.
pub(crate) trait Way {
    fn listen(&self, server: &LinkServer, listener: TcpListener);
    fn connect(&self, link: Link, bus: &Bus, address: SocketAddr) -> LinkClient;
}

pub(crate) struct OverTcp;

impl Way for OverTcp {
    fn listen(&self, server: &LinkServer, listener: TcpListener) {
        server.listen_tcp(listener, bob()).unwrap();
    }

    fn connect(&self, link: Link, bus: &Bus, address: SocketAddr) -> LinkClient {
        link.connect_tcp(bus, address).unwrap()
    }
}

pub(crate) async fn setting(
    way: &impl Way,
    limits: Limits,
    client: impl FnOnce(Link) -> Link,
) -> Setting {
    let heard = Arc::new(Heard::default());
    let runtime = tokio::runtime::Handle::current();
    let bus = |runtime| Bus::builder().runtime(runtime).on_failure(|_| ());
    let here = bus(runtime.clone()).build().unwrap();
    let there = bus(runtime).state(Arc::clone(&heard)).build().unwrap();
    // What is lost is counted by the tests, not told.
    here.on(|_: &LinkLost| ()).forever();
    there.on(|_: &LinkLost| ()).forever();
    let access = Access::nothing()
        .allow(&bob(), Right::Publish, "shop.**")
        .unwrap();
    let server = link(limits)
        .subscribe("shop.**")
        .unwrap()
        .serve(&there, access)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    way.listen(&server, listener);
    let proxy = Proxy::before(address).await;
    let client = client(link(limits)).publish("shop.bought").unwrap();
    let client = way.connect(client, &here, proxy.address);
    Setting {
        here,
        there,
        heard,
        server,
        address,
        proxy,
        client,
    }
}

pub(crate) fn bought(number: u32) -> Bought {
    let note = "x".repeat(200);
    Bought { number, note }
}

/// Emits while the proxy does one thing after the other, and has all of it arrive.
pub(crate) async fn survive(way: &impl Way, faults: &[Fault]) -> Setting {
    let setting = setting(way, impatient(), |link| link).await;
    let mut number = 0;
    for fault in faults {
        setting.here.emit(bought(number)).await;
        number += 1;
        setting.heard.wait_for(1).await;
        let mut opened = setting.here.stream::<LinkOpened>();
        let lost = setting.here.next::<LinkLost>();
        setting.proxy.set(*fault);
        for _ in 0..100 {
            setting.here.emit(bought(number)).await;
            number += 1;
        }
        tokio::time::timeout(SOON, lost)
            .await
            .expect("the fault is noticed")
            .unwrap();
        setting.proxy.set(Fault::None);
        let again = std::future::poll_fn(|cx| {
            use futures_core::Stream;
            std::pin::Pin::new(&mut opened).poll_next(cx)
        });
        tokio::time::timeout(SOON, again)
            .await
            .expect("it opens again");
    }
    setting.heard.wait_for(number as usize).await;
    assert_eq!(setting.heard.numbers(), (0..number).collect::<Vec<_>>());
    assert!(setting.here.shutdown(SOON).await.unwrap().is_clean());
    let figures = setting.here.queues()[0].1;
    assert_eq!(
        (figures.delivered, figures.failed, figures.dropped),
        (number.into(), 0, 0)
    );
    setting
}
