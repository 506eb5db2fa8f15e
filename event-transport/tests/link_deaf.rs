//! Peers that read nothing, or as good as nothing, beside others that do.
#![cfg(feature = "wire")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/post.rs"]
mod post;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use post::{Letter, SOON, all, bob, hearing, link, soon, telling, wired};
use tidings::transport::wire::proto::frame::{Head, Hello};
use tidings::transport::wire::{Identity, Limits, LinkLost, LinkServer, Offer, Right};
use tidings::{Bus, Overflow, Policy};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// What a peer says first that wants to hear of letters.
fn hello() -> Vec<u8> {
    let mut events = tidings::catalog().events().iter();
    let letter = events.find(|e| e.topic() == "post.letter");
    let hello = Hello {
        link: "raw".into(),
        session: 5,
        origin: 5,
        proof: None,
        content_type: "application/json".into(),
        offers: Vec::new(),
        wants: vec![Offer::of(letter.expect("it is linked"))],
        max_frame: 1 << 20,
        receive: 1 << 30,
        requests: 64,
        heartbeat_ms: 100,
        seen: None,
    };
    let mut bytes = BytesMut::from(&b"tidings\x01"[..]);
    Head::Hello(Box::new(hello)).write(&[], &mut bytes);
    bytes.to_vec()
}

/// A peer that is let in, and has read nothing but the beginning.
async fn deaf(server: &LinkServer) -> DuplexStream {
    let (mut stream, other) = tokio::io::duplex(4096);
    server.accept(other, Identity::new("mallory"));
    stream.write_all(&hello()).await.unwrap();
    let mut head = [0; 16];
    soon(stream.read_exact(&mut head)).await.unwrap();
    stream
}

async fn pings(mut stream: DuplexStream, sips: bool) {
    let mut bytes = BytesMut::new();
    Head::Ping(7).write(&[], &mut bytes);
    while stream.write_all(&bytes).await.is_ok() {
        if sips && stream.read_u8().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a peer hears more letters than all queues hold while another one reads nothing, or as good as nothing.
async fn is_heard_beside_a_deaf_one(
    queue: impl Fn(Policy) -> Policy,
    again: bool,
    sips: bool,
) -> bool {
    const LETTERS: u32 = 3000;
    let ((there, _told), (here, heard)) = (telling(), hearing());
    let mallory = Identity::new("mallory");
    let access = all().allow(&mallory, Right::Subscribe, "**").unwrap();
    // So that the test is short: 30 s and a minute unless set.
    let limits = Limits::default().idle(Duration::from_millis(300));
    let server = link().queue(queue).limits(limits);
    let server = server.resume_within(Duration::from_millis(600));
    let server = server.publish("post.letter").unwrap();
    let server = Arc::new(server.serve(&there, access).unwrap());
    let client = wired(
        link().subscribe("post.letter").unwrap().limits(limits),
        &here,
        &server,
    );
    client.opened().await.unwrap();
    there.on(|_: &LinkLost| ()).forever();
    let raw = deaf(&server).await;
    while there.queues().len() < 2 {
        tokio::task::yield_now().await;
    }
    let own = Arc::clone(&server);
    let deaf_one = tokio::spawn(async move {
        let mut raw = raw;
        loop {
            pings(raw, sips).await;
            if !again {
                break;
            }
            // It is let in again at once, with the session that it had.
            raw = deaf(&own).await;
        }
    });
    let emits = async {
        for number in 0..LETTERS {
            there.emit(Letter { number }).await;
            // The other one takes what there is.
            if number % 100 == 99 {
                heard.wait_for(number as usize - 98).await;
            }
        }
        heard.wait_for(LETTERS as usize).await;
    };
    let heard = tokio::time::timeout(2 * SOON, emits).await;
    deaf_one.abort();
    heard.is_ok()
}

fn waits(queue: Policy) -> Policy {
    queue.overflow(Overflow::Block)
}

#[tokio::test]
async fn a_peer_that_reads_nothing_holds_up_nobody_also_if_it_comes_again() {
    assert!(is_heard_beside_a_deaf_one(|queue| queue, true, false).await);
}

#[tokio::test]
async fn a_peer_that_reads_a_byte_now_and_then_holds_up_nobody() {
    assert!(is_heard_beside_a_deaf_one(|queue| queue, false, true).await);
}

#[tokio::test]
async fn a_peer_that_reads_nothing_holds_up_who_waits_no_longer_than_it_is_kept() {
    assert!(is_heard_beside_a_deaf_one(waits, false, false).await);
}

#[tokio::test]
async fn a_peer_that_reads_a_byte_now_and_then_is_cut_off_like_one_that_reads_nothing() {
    assert!(is_heard_beside_a_deaf_one(waits, false, true).await);
}

/// A server with one peer that is let in and reads nothing, when eight letters are on their way to it and four wait.
async fn full(
    queue: impl Fn(Policy) -> Policy,
) -> (Bus, LinkServer, DuplexStream, tidings::QueueStats) {
    let (there, _told) = telling();
    let link = link().queue(|policy| queue(policy.queue(4)));
    let link = link.limits(Limits::default().unacknowledged(8));
    let server = link.publish("post.letter").unwrap();
    let server = server.serve(&there, all()).unwrap();
    let (mut stream, other) = tokio::io::duplex(1 << 16);
    server.accept(other, bob());
    stream.write_all(&hello()).await.unwrap();
    while there.queues().is_empty() {
        tokio::task::yield_now().await;
    }
    for number in 0..8 {
        soon(there.emit(Letter { number }).into_future()).await;
        // They are taken out of the queue one by one.
        while there.queues()[0].1.depth > 0 {
            tokio::task::yield_now().await;
        }
    }
    for number in 8..12 {
        soon(there.emit(Letter { number }).into_future()).await;
    }
    let figures = there.queues()[0].1;
    assert_eq!((figures.in_flight, figures.depth), (8, 4));
    (there, server, stream, figures)
}

#[tokio::test]
async fn a_server_drops_for_a_peer_that_takes_nothing_what_has_waited_longest_and_counts_it() {
    let (there, _server, _stream, before) = full(|queue| queue).await;
    assert_eq!(before.dropped, 0);
    for number in 12..15 {
        soon(there.emit(Letter { number }).into_future()).await;
    }
    let after = there.queues()[0].1;
    assert_eq!((after.in_flight, after.depth, after.dropped), (8, 4, 3));
}

#[tokio::test]
async fn a_server_that_is_told_to_wait_does_until_its_peer_has_taken_something() {
    let (there, _server, mut stream, _) = full(waits).await;
    let mut emission = there.emit(Letter { number: 12 }).into_future();
    let waits = poll_fn(|cx| Poll::Ready(Pin::new(&mut emission).poll(cx).is_pending()));
    assert!(waits.await);

    let mut taken = BytesMut::new();
    Head::Ack { upto: 1 }.write(&[], &mut taken);
    stream.write_all(&taken).await.unwrap();
    assert_eq!(soon(emission).await.queued(), 1);
    let figures = there.queues()[0].1;
    assert_eq!((figures.delivered, figures.dropped), (1, 0));
}
