//! Links over real sockets through a proxy that breaks them: what is published arrives, in order, at least once.
#![cfg(feature = "wire")]

#[path = "support/proxy.rs"]
mod proxy;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxy::{Fault, Proxy};
use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, EventId, Identity, Limits, Link, LinkClient, LinkLost, LinkOpened, LinkServer, Right,
    envelope,
};
use tidings::{Bus, Overflow, event, listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const SOON: Duration = Duration::from_secs(20);

#[event("shop.bought", serde)]
#[derive(Serialize, Deserialize)]
struct Bought {
    number: u32,
    note: String,
}

#[derive(Default)]
struct Heard {
    all: Mutex<Vec<(u32, EventId)>>,
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
    async fn wait_for(&self, count: usize) {
        let mut now = self.count.subscribe();
        let enough = tokio::time::timeout(SOON, now.wait_for(|now| *now >= count)).await;
        enough
            .unwrap_or_else(|_| panic!("{} were heard", *self.count.borrow()))
            .unwrap();
    }

    /// Each number, once, in order; and that whatever came twice had the same id.
    fn numbers(&self) -> Vec<u32> {
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

fn bob() -> Identity {
    Identity::new("bob")
}

/// A peer is missed soon, so that a test of it is short.
fn impatient() -> Limits {
    let soon = Duration::from_millis(300);
    Limits::default().idle(soon).handshake(soon)
}

fn link(limits: Limits) -> Link {
    let link = Link::new("shop").limits(limits);
    link.backoff(Duration::ZERO, Duration::from_millis(50))
}

struct Setting {
    here: Bus,
    there: Bus,
    heard: Arc<Heard>,
    server: LinkServer,
    address: SocketAddr,
    proxy: Proxy,
    client: LinkClient,
}

async fn setting(limits: Limits, client: impl FnOnce(Link) -> Link) -> Setting {
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
    server.listen_tcp(listener, bob()).unwrap();
    let proxy = Proxy::before(address).await;
    let client = client(link(limits)).publish("shop.bought").unwrap();
    let client = client.connect_tcp(&here, proxy.address).unwrap();
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

fn bought(number: u32) -> Bought {
    let note = "x".repeat(200);
    Bought { number, note }
}

/// Emits while the proxy does one thing after the other, and has all of it arrive.
async fn survive(faults: &[Fault]) -> Setting {
    let setting = setting(impatient(), |link| link).await;
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

#[tokio::test]
async fn events_arrive_across_cuts() {
    survive(&[Fault::Cut, Fault::Cut, Fault::Cut]).await;
}

#[tokio::test]
async fn events_arrive_across_resets() {
    survive(&[Fault::Reset, Fault::Reset]).await;
}

#[tokio::test]
async fn events_arrive_when_connections_end_in_the_middle_of_frames() {
    survive(&[
        Fault::After(1000),
        Fault::After(1001),
        Fault::After(1500),
        Fault::After(3),
    ])
    .await;
}

#[tokio::test]
async fn a_black_hole_is_noticed_and_events_arrive_after_it() {
    survive(&[Fault::BlackHole]).await;
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_and_its_duplicates_are_dropped() {
    let setting = survive(&[Fault::HalfOpen]).await;

    // What the server took while its acknowledgements got lost is known from the next handshake.
    let session = setting.server.sessions().remove(0).1;
    assert_eq!(session.received, 101);
    assert_eq!(setting.heard.all.lock().unwrap().len(), 101);
}

#[tokio::test]
async fn events_arrive_byte_by_byte() {
    let setting = setting(Limits::default(), |link| link).await;
    setting.client.opened().await.unwrap();
    setting.proxy.set(Fault::Drip(7, Duration::from_micros(50)));

    for number in 0..20 {
        setting.here.emit(bought(number)).await;
    }

    setting.heard.wait_for(20).await;
    setting.client.close(SOON).await.unwrap();
    assert_eq!(setting.heard.numbers(), (0..20).collect::<Vec<_>>());
    assert_eq!(setting.proxy.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_does_not_find_room_while_the_link_is_cut_is_counted() {
    let drop_oldest =
        |link: Link| link.queue(|queue| queue.queue(10).overflow(Overflow::DropOldest));
    let setting = setting(Limits::default().unacknowledged(16), drop_oldest).await;
    setting.client.opened().await.unwrap();
    let lost = setting.here.next::<LinkLost>();
    setting.proxy.set(Fault::Cut);
    lost.await.unwrap();

    for number in 0..100 {
        setting.here.emit(bought(number)).await;
    }
    let figures = setting.here.queues()[0].1;
    setting.proxy.set(Fault::None);
    setting.client.close(SOON).await.unwrap();

    let heard = setting.heard.numbers();
    assert_eq!(heard.len() as u64 + figures.dropped, 100);
    assert!(
        figures.dropped >= 74,
        "ten wait and sixteen are kept: {figures:?}"
    );
    assert_eq!(heard.last(), Some(&99));
}

#[tokio::test]
async fn a_server_that_starts_anew_gets_the_rest() {
    let setting = setting(Limits::default(), |link| link).await;
    for number in 0..10 {
        setting.here.emit(bought(number)).await;
    }
    setting.heard.wait_for(10).await;
    let lost = setting.here.next::<LinkLost>();
    drop(setting.server);
    lost.await.unwrap();
    for number in 10..20 {
        setting.here.emit(bought(number)).await;
    }

    let access = Access::nothing()
        .allow(&bob(), Right::Publish, "**")
        .unwrap();
    let anew = link(Limits::default())
        .subscribe("shop.bought")
        .unwrap()
        .serve(&setting.there, access)
        .unwrap();
    let listener = loop {
        match TcpListener::bind(setting.address).await {
            Ok(listener) => break listener,
            // The old one is dropped with its task.
            Err(_) => tokio::task::yield_now().await,
        }
    };
    anew.listen_tcp(listener, bob()).unwrap();

    setting.client.close(SOON).await.unwrap();
    assert_eq!(setting.heard.numbers(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_comes_to_a_bus_that_is_shut_down_is_left_to_the_next() {
    let setting = setting(Limits::default(), |link| link).await;
    setting.here.emit(bought(0)).await;
    setting.heard.wait_for(1).await;
    let lost = setting.here.next::<LinkLost>();
    assert!(setting.there.shutdown(SOON).await.unwrap().is_clean());
    setting.here.emit(bought(1)).await;
    lost.await.unwrap();
    drop(setting.server);

    let builder = Bus::builder().state(Arc::clone(&setting.heard));
    let next = builder.build().unwrap();
    let access = Access::nothing()
        .allow(&bob(), Right::Publish, "**")
        .unwrap();
    let anew = link(Limits::default()).subscribe("shop.bought").unwrap();
    let anew = anew.serve(&next, access).unwrap();
    let listener = loop {
        match TcpListener::bind(setting.address).await {
            Ok(listener) => break listener,
            // The old one is dropped with its task.
            Err(_) => tokio::task::yield_now().await,
        }
    };
    anew.listen_tcp(listener, bob()).unwrap();

    setting.client.close(SOON).await.unwrap();
    assert_eq!(setting.heard.numbers(), [0, 1]);
}

/// What a stranger on a raw socket gets, and that the link of others goes on.
async fn stranger(limits: Limits, bytes: &[u8]) -> String {
    let setting = setting(limits, |link| link).await;
    setting.client.opened().await.unwrap();
    let lost = setting.there.next::<LinkLost>();

    let mut stream = TcpStream::connect(setting.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let lost = tokio::time::timeout(SOON, lost)
        .await
        .expect("it is noticed")
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();

    setting.here.emit(bought(1)).await;
    setting.heard.wait_for(1).await;
    setting.client.close(SOON).await.unwrap();
    lost.why.clone()
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_cut_off_and_others_are_unharmed() {
    assert_eq!(
        stranger(Limits::default().handshake(Duration::from_millis(300)), b"").await,
        "the peer did not finish its handshake within 300ms"
    );
}

#[tokio::test]
async fn a_browser_is_told_and_others_are_unharmed() {
    let why = stranger(Limits::default(), b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n").await;

    assert!(why.contains("which is HTTP"), "{why}");
}

#[tokio::test]
async fn a_frame_of_four_gibibytes_is_cut_off_and_others_are_unharmed() {
    let why = stranger(Limits::default(), b"tidings\x01\xff\xff\xff\xff").await;

    assert!(why.contains("a frame of more than 262144 bytes"), "{why}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_goes_over_unix_sockets_too() {
    let heard = Arc::new(Heard::default());
    let here = Bus::builder().build().unwrap();
    let there = Bus::builder().state(Arc::clone(&heard)).build().unwrap();
    let access = Access::nothing()
        .allow(&bob(), Right::Publish, "**")
        .unwrap();
    let server = link(Limits::default())
        .subscribe("shop.bought")
        .unwrap()
        .serve(&there, access)
        .unwrap();
    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    server.accept(theirs, bob());
    let mut ours = Some(ours);
    let dial = move || {
        let stream = ours.take().ok_or(std::io::ErrorKind::ConnectionRefused);
        async { Ok(stream?) }
    };
    let client = link(Limits::default())
        .publish("shop.bought")
        .unwrap()
        .connect(&here, dial)
        .unwrap();

    here.emit(bought(7)).await;
    client.close(SOON).await.unwrap();

    assert_eq!(heard.numbers(), [7]);
}
