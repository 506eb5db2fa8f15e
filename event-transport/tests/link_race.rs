//! A peer comes again at the moment when its last connection ends.
#![cfg(feature = "wire")]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use tidings::transport::wire::proto::frame::{Head, Hello};
use tidings::transport::wire::{Access, Identity, Link, Offer, Right, Shape};
use tidings::{Bus, event};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};

const SOON: Duration = Duration::from_secs(20);
const TRIES: u32 = 30;

#[event("race.said", serde, unheard = "ignore")]
#[derive(Serialize, Deserialize)]
struct Said;

/// What a client sends first. The more it offers, the longer the server compares.
fn hello(session: u64, more: usize) -> Vec<u8> {
    let mut events = tidings::catalog().events().iter();
    let of_said = events.find(|e| e.topic() == "race.said");
    let mut offers = vec![Offer::of(of_said.expect("it is linked"))];
    offers.extend((0..more).map(|number| Offer {
        topic: format!("more.{number}"),
        version: 1,
        shape: Shape::from_text(""),
    }));
    let hello = Hello {
        link: "raw".into(),
        session,
        origin: session,
        proof: None,
        content_type: "application/json".into(),
        offers,
        wants: Vec::new(),
        max_frame: 1 << 20,
        receive: 1 << 22,
        requests: 64,
        heartbeat_ms: 1000,
        seen: None,
    };
    let mut bytes = BytesMut::from(&b"tidings\x01"[..]);
    Head::Hello(Box::new(hello)).write(&[], &mut bytes);
    bytes.to_vec()
}

/// A stream that takes its time to close, as a socket with something left to send does.
struct Slow(DuplexStream);

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Slow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

async fn welcome(stream: &mut DuplexStream) {
    let mut head = [0; 16];
    let came = tokio::time::timeout(SOON, stream.read_exact(&mut head)).await;
    came.expect("the server answers").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_end_of_an_old_connection_takes_nothing_from_the_new_one() {
    let bus = Bus::builder().runtime(tokio::runtime::Handle::current());
    let bus = bus.build().unwrap();
    let bob = Identity::new("bob");
    let access = Access::nothing()
        .allow(&bob, Right::Publish, "race.**")
        .unwrap();
    let server = Link::new("server").subscribe("race.said").unwrap();
    let server = server.serve(&bus, access).unwrap();
    let (small, large) = (hello(5, 0), hello(5, 15_000));

    let (mut stream, other) = duplex(1 << 20);
    server.accept(other, bob.clone());
    let start = Instant::now();
    stream.write_all(&large).await.unwrap();
    welcome(&mut stream).await;
    let whole = start.elapsed();
    drop(stream);

    for number in 0..TRIES {
        let (mut old, other) = duplex(1 << 20);
        server.accept(Slow(other), bob.clone());
        old.write_all(&small).await.unwrap();
        welcome(&mut old).await;
        let (mut new, other) = duplex(1 << 20);
        server.accept(other, bob.clone());
        new.write_all(&large).await.unwrap();
        // Each time at another moment of the comparison.
        tokio::time::sleep(whole * number / TRIES).await;
        drop(old);
        welcome(&mut new).await;
    }
}
