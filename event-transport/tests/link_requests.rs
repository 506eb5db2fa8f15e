//! Requests that are asked on one bus and answered on another.
#![cfg(feature = "wire")]

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Envelope, Fault, Identity, Limits, Link, LinkClient, LinkServer, LinkSetupError, Right,
    envelope,
};
use tidings::{Bus, RequestError, RequestErrorKind, event, listener};
use tokio::io::DuplexStream;
use tokio::sync::Notify;

/// Sooner than a heartbeat, which would have a link look for what it forgot.
const SOON: Duration = Duration::from_secs(5);

#[event("shop.quote", serde, reply = Quote)]
#[derive(Serialize, Deserialize)]
struct GetQuote {
    pieces: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Quote {
    cents: u32,
}

/// What the bus that answers knows. The other one has none, so its listener is not there.
#[derive(Default)]
struct Prices {
    asked: AtomicU32,
    go_on: Notify,
}

#[listener(reply)]
async fn quote(e: &GetQuote, prices: &Prices) -> Result<Quote, String> {
    prices.asked.fetch_add(1, Ordering::Relaxed);
    match e.pieces {
        0 => Err("nothing is wanted".to_owned()),
        99 => {
            prices.go_on.notified().await;
            Ok(Quote { cents: 99 })
        }
        pieces => Ok(Quote {
            cents: pieces * 250,
        }),
    }
}

/// An answer that depends on where the question came from.
#[event("shop.where", serde, reply = bool, unanswered = "ignore")]
#[derive(Serialize, Deserialize)]
struct FromAfar;

#[listener(reply)]
fn from_afar(_: &FromAfar, _: &Prices) -> bool {
    let asked = |envelope: Envelope| (envelope.topic, envelope.version, envelope.content_type);
    envelope().map(asked) == Some(("shop.where", 1, "application/json"))
}

struct Setting {
    here: Bus,
    there: Bus,
    prices: Arc<Prices>,
    client: LinkClient,
    _server: Arc<LinkServer>,
}

fn link() -> Link {
    Link::new("shop").backoff(Duration::ZERO, Duration::from_millis(20))
}

async fn setting(client: impl FnOnce(Link) -> Link, server: impl FnOnce(Link) -> Link) -> Setting {
    let prices = Arc::new(Prices::default());
    let runtime = tokio::runtime::Handle::current();
    let builder = || Bus::builder().runtime(runtime.clone()).on_failure(|_| ());
    let here = builder().without((quote, from_afar)).build().unwrap();
    let there = builder().state(Arc::clone(&prices)).build().unwrap();
    let bob = Identity::new("bob");
    let access = Access::nothing()
        .allow(&bob, Right::Publish, "shop.**")
        .unwrap();
    let server = Arc::new(server(link()).serve(&there, access).unwrap());
    let accepting = Arc::clone(&server);
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(4096);
        accepting.accept(theirs, bob.clone());
        async { Ok::<_, io::Error>(ours) }
    };
    let client = client(link()).connect(&here, dial).unwrap();
    client.opened().await.unwrap();
    Setting {
        here,
        there,
        prices,
        client,
        _server: server,
    }
}

async fn asking() -> Setting {
    let both = |link: Link| link.answers::<GetQuote>().answers::<FromAfar>();
    setting(|link| link.asks::<GetQuote>().asks::<FromAfar>(), both).await
}

/// What went wrong on the way.
fn fault(error: &RequestError) -> Option<&Fault> {
    assert_eq!(error.kind(), RequestErrorKind::Failed);
    error.source()?.downcast_ref()
}

#[tokio::test]
async fn a_request_is_answered_by_the_listener_of_the_other_bus() {
    let setting = asking().await;

    let quote = setting
        .here
        .request(GetQuote { pieces: 4 })
        .within(SOON)
        .await;

    assert_eq!(quote.unwrap(), Quote { cents: 1000 });
    assert!(setting.here.request(FromAfar).within(SOON).await.unwrap());
    assert!(!setting.there.request(FromAfar).await.unwrap());
    setting.client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn many_requests_are_answered_each_with_its_own() {
    let setting = asking().await;

    let asked: Vec<_> = (1..=60)
        .map(|pieces| (pieces, setting.here.request(GetQuote { pieces })))
        .collect();

    for (pieces, quote) in asked {
        assert_eq!(quote.within(SOON).await.unwrap().cents, pieces * 250);
    }
}

#[tokio::test]
async fn an_error_of_the_one_that_answers_reaches_the_one_that_asked() {
    let setting = asking().await;

    let error = setting
        .here
        .request(GetQuote { pieces: 0 })
        .within(SOON)
        .await
        .unwrap_err();

    let fault = fault(&error).expect("the other side says why");
    assert!(fault.to_string().contains("nothing is wanted"), "{fault}");
}

#[tokio::test]
async fn a_request_that_the_peer_does_not_answer_fails_at_once() {
    let setting = setting(Link::asks::<GetQuote>, Link::answers::<FromAfar>).await;

    let error = setting
        .here
        .request(GetQuote { pieces: 1 })
        .within(SOON)
        .await
        .unwrap_err();

    assert_eq!(fault(&error), Some(&Fault::NotAgreed));
}

#[tokio::test]
async fn a_request_that_nobody_answers_there_says_so() {
    let runtime = tokio::runtime::Handle::current();
    let nobody = Bus::builder()
        .runtime(runtime)
        .without((quote, from_afar))
        .build()
        .unwrap();
    let bob = Identity::new("bob");
    let access = Access::nothing()
        .allow(&bob, Right::Publish, "shop.**")
        .unwrap();
    let server = link().answers::<GetQuote>().serve(&nobody, access).unwrap();
    let (ours, theirs) = tokio::io::duplex(4096);
    server.accept(theirs, bob);
    let mut ours = Some(ours);
    let runtime = tokio::runtime::Handle::current();
    let here = Bus::builder()
        .runtime(runtime)
        .without((quote, from_afar))
        .build()
        .unwrap();
    let dial = move || {
        let stream = ours.take().ok_or(io::ErrorKind::ConnectionRefused);
        async { Ok(stream?) }
    };
    let client = link().asks::<GetQuote>().connect(&here, dial).unwrap();
    client.opened().await.unwrap();

    let error = here
        .request(GetQuote { pieces: 1 })
        .within(SOON)
        .await
        .unwrap_err();

    assert_eq!(fault(&error), Some(&Fault::NoListener));
}

#[tokio::test]
async fn a_request_without_a_connection_fails_at_once() {
    let runtime = tokio::runtime::Handle::current();
    let here = Bus::builder()
        .runtime(runtime)
        .without((quote, from_afar))
        .build()
        .unwrap();
    let dial = || std::future::pending::<io::Result<DuplexStream>>();
    let client = link().asks::<GetQuote>().connect(&here, dial).unwrap();

    let error = here
        .request(GetQuote { pieces: 1 })
        .within(SOON)
        .await
        .unwrap_err();

    assert_eq!(fault(&error), Some(&Fault::Lost));
    drop(client);
}

#[tokio::test]
async fn a_request_ends_with_the_link() {
    let setting = asking().await;
    let asked = setting.here.request(GetQuote { pieces: 99 });
    while setting.prices.asked.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }

    drop(setting.client);

    let error = asked.within(SOON).await.unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Dropped);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let short = |link: Link| {
        link.asks::<GetQuote>()
            .request_within(Duration::from_millis(20))
    };
    let setting = setting(short, Link::answers::<GetQuote>).await;

    let error = setting
        .here
        .request(GetQuote { pieces: 99 })
        .within(SOON)
        .await
        .unwrap_err();

    assert_eq!(fault(&error), Some(&Fault::TimedOut));
    setting.prices.go_on.notify_one();
    let quote = setting
        .here
        .request(GetQuote { pieces: 2 })
        .within(SOON)
        .await;
    assert_eq!(quote.unwrap().cents, 500);
}

#[tokio::test]
async fn a_request_whose_asker_gave_up_has_no_place_any_more() {
    let few = |link: Link| {
        link.asks::<GetQuote>()
            .limits(Limits::default().requests(1))
    };
    let setting = setting(few, Link::answers::<GetQuote>).await;
    for asked in 1..10 {
        let given_up = setting.here.request(GetQuote { pieces: 99 });
        while setting.prices.asked.load(Ordering::Relaxed) < asked * 2 - 1 {
            tokio::task::yield_now().await;
        }
        if asked % 2 == 0 {
            drop(given_up);
        } else {
            let error = given_up.within(Duration::ZERO).await.unwrap_err();
            assert_eq!(error.kind(), RequestErrorKind::TimedOut);
        }

        let quote = setting.here.request(GetQuote { pieces: 2 });

        assert_eq!(quote.within(SOON).await.unwrap().cents, 500);
        // Its answer comes late, and to nobody.
        setting.prices.go_on.notify_one();
    }
    assert_eq!(setting.client.stats().connections, 1);
    setting.client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn more_requests_than_the_link_allows_fail_at_once() {
    let few = |link: Link| {
        link.asks::<GetQuote>()
            .limits(Limits::default().requests(1))
    };
    let setting = setting(few, Link::answers::<GetQuote>).await;
    let first = setting.here.request(GetQuote { pieces: 99 });

    let second = setting
        .here
        .request(GetQuote { pieces: 1 })
        .within(SOON)
        .await;

    assert_eq!(fault(&second.unwrap_err()), Some(&Fault::TooMany));
    setting.prices.go_on.notify_one();
    assert_eq!(first.within(SOON).await.unwrap().cents, 99);
}

#[tokio::test]
async fn both_sides_that_ask_each_other_do_not_ask_in_circles() {
    let both = |link: Link| link.asks::<GetQuote>().answers::<GetQuote>();
    let bob = Identity::new("bob");
    let runtime = tokio::runtime::Handle::current();
    let bus = || {
        Bus::builder()
            .runtime(runtime.clone())
            .without((quote, from_afar))
            .build()
    };
    let (here, there) = (bus().unwrap(), bus().unwrap());
    let access = Access::nothing().allow(&bob, Right::Publish, "**").unwrap();
    let access = access.allow(&bob, Right::Subscribe, "**").unwrap();
    let server = both(link()).serve(&there, access).unwrap();
    let (ours, theirs) = tokio::io::duplex(4096);
    server.accept(theirs, bob);
    let mut ours = Some(ours);
    let dial = move || {
        let stream = ours.take().ok_or(io::ErrorKind::ConnectionRefused);
        async { Ok(stream?) }
    };
    let client = both(link()).connect(&here, dial).unwrap();
    client.opened().await.unwrap();

    let error = here
        .request(GetQuote { pieces: 1 })
        .within(SOON)
        .await
        .unwrap_err();

    assert_eq!(fault(&error), Some(&Fault::NoListener));
}

#[tokio::test]
async fn a_request_is_not_published_as_an_event() {
    let here = Bus::empty();
    let dial = || std::future::pending::<io::Result<DuplexStream>>();

    let link = link().publish("shop.quote").unwrap().connect(&here, dial);

    let error = link.expect_err("it is asked, not told");
    assert_eq!(error, LinkSetupError::IsRequest("shop.quote".to_owned()));
    assert!(error.to_string().contains("`.asks::<Type>()`"));
}

#[tokio::test]
async fn a_link_that_carries_nothing_says_what_to_write() {
    let bus = Bus::empty();

    let served = Link::new("empty").serve(&bus, Access::nothing());
    let dial = std::future::pending::<io::Result<DuplexStream>>;
    let connected = Link::new("empty").connect(&bus, dial);

    for error in [served.err(), connected.err()] {
        let error = error.expect("it carries nothing").to_string();
        assert!(
            error.contains("the link `empty` carries nothing"),
            "{error}"
        );
        assert!(error.contains("`.publish(\"topic.*\")`"), "{error}");
    }
}
