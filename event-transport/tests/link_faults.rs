//! Links over real sockets through a proxy that breaks them: what is published arrives, in order, at least once.
#![cfg(feature = "wire")]

#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/shop.rs"]
mod shop;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proxy::Fault;
use shop::{Heard, OverTcp, SOON, bob, bought, link, setting, survive};
use tidings::transport::wire::{Access, Limits, Link, LinkLost, Right};
use tidings::{Bus, Overflow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn events_arrive_across_cuts() {
    survive(&OverTcp, &[Fault::Cut, Fault::Cut, Fault::Cut]).await;
}

#[tokio::test]
async fn events_arrive_across_resets() {
    survive(&OverTcp, &[Fault::Reset, Fault::Reset]).await;
}

#[tokio::test]
async fn events_arrive_when_connections_end_in_the_middle_of_frames() {
    survive(
        &OverTcp,
        &[
            Fault::After(1000),
            Fault::After(1001),
            Fault::After(1500),
            Fault::After(3),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_black_hole_is_noticed_and_events_arrive_after_it() {
    survive(&OverTcp, &[Fault::BlackHole]).await;
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_and_its_duplicates_are_dropped() {
    let setting = survive(&OverTcp, &[Fault::HalfOpen]).await;

    // What the server took while its acknowledgements got lost is known from the next handshake.
    let session = setting.server.sessions().remove(0).1;
    assert_eq!(session.received, 101);
    assert_eq!(setting.heard.all.lock().unwrap().len(), 101);
}

#[tokio::test]
async fn events_arrive_byte_by_byte() {
    let setting = setting(&OverTcp, Limits::default(), |link| link).await;
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
    let setting = setting(&OverTcp, Limits::default().unacknowledged(16), drop_oldest).await;
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
    let setting = setting(&OverTcp, Limits::default(), |link| link).await;
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
    let setting = setting(&OverTcp, Limits::default(), |link| link).await;
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
    let setting = setting(&OverTcp, limits, |link| link).await;
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
