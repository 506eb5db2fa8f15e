//! Code of the program that panics while a link runs it: it is told, and the link goes on.
#![cfg(feature = "wire")]

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Fault, Identity, Link, LinkClient, LinkLost, LinkServer, Right,
};
use tidings::{Bus, FailureKind, event, listener};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

/// Sooner than a heartbeat, which would have a link look for what it forgot.
const SOON: Duration = Duration::from_secs(5);

/// A number that cannot be written if it is 13, and not be read if it is 14.
#[derive(Debug, PartialEq)]
struct Number(u32);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, 13, "it is unlucky");
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        assert_ne!(number, 14, "it is worse");
        Ok(Self(number))
    }
}

#[event("luck.told", serde)]
#[derive(Serialize, Deserialize)]
struct Told {
    number: Number,
}

#[event("luck.asked", serde, reply = Number)]
#[derive(Serialize, Deserialize)]
struct Asked {
    number: u32,
}

/// What the bus that hears has; the other one has none.
struct Ear(mpsc::UnboundedSender<u32>);

#[listener]
fn hear(e: &Told, ear: Option<&Ear>) {
    if let Some(Ear(heard)) = ear {
        heard.send(e.number.0).expect("the test listens");
    }
}

#[listener(reply)]
fn tell(e: &Asked, _: &Ear) -> Number {
    Number(e.number)
}

struct Setting {
    here: Bus,
    heard: mpsc::UnboundedReceiver<u32>,
    failures: mpsc::UnboundedReceiver<(FailureKind, String)>,
    client: LinkClient,
    _server: Arc<LinkServer>,
    _there: Bus,
}

fn link() -> Link {
    Link::new("luck").backoff(Duration::ZERO, Duration::from_millis(20))
}

async fn setting() -> Setting {
    let runtime = tokio::runtime::Handle::current();
    let (ear, heard) = mpsc::unbounded_channel();
    let (sender, failures) = mpsc::unbounded_channel();
    let failed = move |failure: &tidings::Failure| {
        // A test that ended has no use for it.
        let _ = sender.send((failure.kind(), failure.to_string()));
    };
    let builder = Bus::builder().runtime(runtime.clone()).without(tell);
    let here = builder.on_failure(failed).build().unwrap();
    let builder = Bus::builder().runtime(runtime).state(Arc::new(Ear(ear)));
    let there = builder.on_failure(|_| ()).build().unwrap();
    let bob = Identity::new("bob");
    let access = Access::nothing()
        .allow(&bob, Right::Publish, "luck.*")
        .unwrap();
    let server = link().subscribe("luck.*").unwrap().answers::<Asked>();
    let server = Arc::new(server.serve(&there, access).unwrap());
    let accepting = Arc::clone(&server);
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(4096);
        accepting.accept(theirs, bob.clone());
        async { Ok::<_, io::Error>(ours) }
    };
    let client = link().publish("luck.*").unwrap().asks::<Asked>();
    let client = client.connect(&here, dial).unwrap();
    client.opened().await.unwrap();
    Setting {
        here,
        heard,
        failures,
        client,
        _server: server,
        _there: there,
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(SOON, future).await;
    ended.expect("it does not wait for ever")
}

#[tokio::test]
async fn an_event_whose_writing_panics_fails_and_the_next_arrives() {
    let mut setting = setting().await;
    for number in [1, 13, 2] {
        let number = Number(number);
        setting.here.emit(Told { number }).await;
    }

    assert_eq!(soon(setting.heard.recv()).await, Some(1));
    assert_eq!(soon(setting.heard.recv()).await, Some(2));
    let (kind, text) = soon(setting.failures.recv()).await.unwrap();
    assert_eq!(kind, FailureKind::Error);
    assert!(text.contains("writing it panicked"), "{text}");
    assert_eq!(setting.client.stats().connections, 1);
    setting.client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_request_whose_answer_panics_on_its_way_fails_and_the_next_is_answered() {
    let setting = setting().await;
    let ask = |number| setting.here.request(Asked { number }).within(SOON);

    for (number, what) in [(13, "writing"), (14, "reading")] {
        let error = ask(number).await.unwrap_err();

        let fault = error.source().and_then(|error| error.downcast_ref());
        let fault: &Fault = fault.unwrap_or_else(|| panic!("{error}"));
        let text = fault.to_string();
        assert!(text.contains(&format!("{what} it panicked")), "{text}");
    }

    assert_eq!(ask(1).await.unwrap(), Number(1));
    assert_eq!(setting.client.stats().connections, 1);
}

#[tokio::test]
async fn a_dial_that_panics_is_told_and_tried_again() {
    let here = Bus::builder()
        .runtime(tokio::runtime::Handle::current())
        .without(tell)
        .build()
        .unwrap();
    let mut lost = here.stream::<LinkLost>();
    let mut tries = 0;
    let dial = move || -> std::future::Ready<io::Result<DuplexStream>> {
        tries += 1;
        panic!("no line {tries}");
    };
    let client = link().publish("luck.*").unwrap().connect(&here, dial);
    let client = client.unwrap();

    let error = soon(client.opened()).await.unwrap_err();

    assert!(error.to_string().contains("no line"), "{error}");
    for number in 1..3 {
        let next = std::future::poll_fn(|cx| Pin::new(&mut lost).poll_next(cx));
        let lost = soon(next).await.unwrap();
        assert!(lost.why.contains(&format!("no line {number}")), "{lost:?}");
    }
}
