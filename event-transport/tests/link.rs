//! Two buses and a link between them.
#![cfg(feature = "wire")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Envelope, Identity, Limits, Link, LinkClient, LinkError, LinkOpened, LinkServer,
    LinkSetupError, Right, WireError, envelope,
};
use tidings::{Bus, Context, FailureKind, Overflow, event, listener};
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, watch};

/// Sooner than a heartbeat, which would have a link look for what it forgot.
const SOON: Duration = Duration::from_secs(5);

#[event("chat.say", serde)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Say {
    number: u32,
}

/// What one bus has heard, with its envelopes.
#[derive(Default)]
struct Heard {
    all: Mutex<Vec<(u32, Option<Envelope>)>>,
    count: watch::Sender<usize>,
}

impl Heard {
    fn numbers(&self) -> Vec<u32> {
        self.all
            .lock()
            .unwrap()
            .iter()
            .map(|(number, _)| *number)
            .collect()
    }

    async fn wait_for(&self, count: usize) {
        let mut now = self.count.subscribe();
        let enough = now.wait_for(|now| *now >= count);
        tokio::time::timeout(SOON, enough)
            .await
            .unwrap_or_else(|_| panic!("{:?} were heard", self.numbers()))
            .unwrap();
    }
}

#[listener]
fn hear(e: &Say, heard: Option<&Heard>) {
    if let Some(heard) = heard {
        heard.all.lock().unwrap().push((e.number, envelope()));
        heard.count.send_modify(|count| *count += 1);
    }
}

#[event("chat.ask", serde)]
#[derive(Serialize, Deserialize)]
struct Ask;

#[event("chat.told", serde, version = 3)]
#[derive(Debug, Serialize, Deserialize)]
struct Told;

/// Answers on the bus that has no `Heard`.
#[listener]
fn answer(_: &Ask, heard: Option<&Heard>, cx: Context<'_>) {
    if heard.is_none() && envelope().is_some() {
        cx.emit(Told);
    }
}

#[event("chat.local")]
struct Local;

fn bus() -> Bus {
    let runtime = tokio::runtime::Handle::current();
    let builder = Bus::builder().runtime(runtime).on_failure(|_| ());
    builder.build().expect("the bus is complete")
}

fn hearing() -> (Bus, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let runtime = tokio::runtime::Handle::current();
    let builder = Bus::builder().runtime(runtime).on_failure(|_| ());
    let bus = builder.state(Arc::clone(&heard)).build();
    (bus.expect("the bus is complete"), heard)
}

fn bob() -> Identity {
    Identity::new("bob")
}

fn all() -> Access {
    let access = Access::nothing()
        .allow(&bob(), Right::Publish, "**")
        .unwrap();
    access.allow(&bob(), Right::Subscribe, "**").unwrap()
}

fn link() -> Link {
    Link::new("chat").backoff(Duration::ZERO, Duration::from_millis(20))
}

/// Streams in memory that a server accepts: every dial makes one.
fn wired(link: Link, bus: &Bus, server: &Arc<LinkServer>) -> LinkClient {
    let server = Arc::clone(server);
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(4096);
        server.accept(theirs, bob());
        async { Ok::<_, io::Error>(ours) }
    };
    link.connect(bus, dial).expect("the link is complete")
}

#[tokio::test]
async fn an_event_is_heard_on_the_other_side_in_order_and_once() {
    let (here, (there, heard)) = (bus(), hearing());
    let server = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&there, all())
            .unwrap(),
    );
    let client = wired(link().publish("chat.*").unwrap(), &here, &server);

    for number in 0..1000 {
        here.emit(Say { number }).await;
    }
    client.close(SOON).await.unwrap();

    assert_eq!(heard.numbers(), (0..1000).collect::<Vec<_>>());
    let say = here
        .queues()
        .into_iter()
        .find(|(listener, _)| listener.id() == "link:chat/chat.say");
    assert!(say.is_none(), "the queue is gone with the link");
}

#[tokio::test]
async fn a_published_topic_is_a_queue_with_its_figures() {
    let (here, (there, heard)) = (bus(), hearing());
    let server = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&there, all())
            .unwrap(),
    );
    let client = wired(link().publish("chat.say").unwrap(), &here, &server);

    assert_eq!(here.emit(Say { number: 1 }).await.queued(), 1);
    heard.wait_for(1).await;
    let (listener, _) = here.queues().remove(0);
    assert_eq!(
        (listener.id(), listener.hears()),
        ("link:chat/chat.say", vec!["chat.say"])
    );

    // The bus waits until the other one has what was emitted.
    assert!(here.shutdown(SOON).await.unwrap().is_clean());
    assert_eq!(here.queues()[0].1.delivered, 1);
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn the_envelope_is_in_reach_and_tells_the_cause() {
    let ((here, heard), there) = (hearing(), bus());
    let server = link()
        .subscribe("chat.ask")
        .unwrap()
        .publish("chat.told")
        .unwrap();
    let server = Arc::new(server.serve(&there, all()).unwrap());
    let (sender, mut told) = mpsc::unbounded_channel();
    let tell = move |_: &Told| sender.send(envelope()).expect("the test waits");
    here.on(tell).forever();
    let client = link()
        .publish("chat.ask")
        .unwrap()
        .subscribe("chat.told")
        .unwrap();
    let client = wired(client, &here, &server);
    client.opened().await.unwrap();

    here.emit(Ask).await;

    let envelope = tokio::time::timeout(SOON, told.recv())
        .await
        .unwrap()
        .unwrap();
    let envelope = envelope.expect("it came over the link");
    assert_eq!(
        envelope.cause,
        Some(envelope.trace),
        "the question caused it"
    );
    assert_ne!(envelope.id.origin(), envelope.trace.origin());
    assert_eq!(envelope.hops, 0);
    assert_eq!((envelope.topic, envelope.version), ("chat.told", 3));
    assert_eq!(envelope.content_type, "application/json");
    assert!(heard.numbers().is_empty());
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn what_came_over_a_link_goes_out_over_none() {
    let (here, (there, heard)) = (bus(), hearing());
    let both = || {
        link()
            .publish("chat.say")
            .unwrap()
            .subscribe("chat.say")
            .unwrap()
    };
    let server = Arc::new(both().serve(&there, all()).unwrap());
    let client = wired(both(), &here, &server);
    client.opened().await.unwrap();

    for number in 0..10 {
        here.emit(Say { number }).await;
    }
    heard.wait_for(10).await;
    there.emit(Say { number: 99 }).await;
    let back = here.next::<Say>();
    there.emit(Say { number: 100 }).await;

    assert!(
        back.await.unwrap().number >= 99,
        "the first ten did not come back"
    );
    assert_eq!(heard.numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 100]);
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_relay_passes_on_with_the_same_id_and_counts_the_hop() {
    let (here, middle, (there, heard)) = (bus(), bus(), hearing());
    let inner = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&middle, all())
            .unwrap(),
    );
    let last = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&there, all())
            .unwrap(),
    );
    let first = wired(link().publish("chat.say").unwrap(), &here, &inner);
    let relay = wired(link().publish("chat.say").unwrap().relay(1), &middle, &last);
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ids);
    let note = move |_: &Say| seen.lock().unwrap().extend(envelope());
    middle.on(note).forever();

    here.emit(Say { number: 1 }).await;
    heard.wait_for(1).await;

    let there = heard.all.lock().unwrap()[0]
        .1
        .clone()
        .expect("it came over a link");
    let between = ids.lock().unwrap()[0].clone();
    assert_eq!((there.id, there.hops, between.hops), (between.id, 1, 0));
    first.close(SOON).await.unwrap();
    relay.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_relay_ends_where_its_hops_do() {
    let (here, middle, (there, heard)) = (bus(), bus(), hearing());
    let inner = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&middle, all())
            .unwrap(),
    );
    let last = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&there, all())
            .unwrap(),
    );
    let first = wired(link().publish("chat.say").unwrap(), &here, &inner);
    let relay = wired(link().publish("chat.say").unwrap().relay(0), &middle, &last);

    here.emit(Say { number: 1 }).await;
    first.close(SOON).await.unwrap();
    middle.emit(Say { number: 2 }).await;
    relay.close(SOON).await.unwrap();

    assert_eq!(heard.numbers(), [2]);
}

#[tokio::test]
async fn a_full_queue_does_what_its_overflow_says_while_there_is_no_connection() {
    let here = bus();
    let cases = [
        (Overflow::Reject, 0, 2),
        (Overflow::DropOldest, 2, 0),
        (Overflow::DropNewest, 2, 0),
    ];
    for (overflow, dropped, rejected) in cases {
        let link = link().publish("chat.say").unwrap();
        let link = link.queue(|queue| queue.queue(3).overflow(overflow));
        let dial = || async { Err::<DuplexStream, _>(io::ErrorKind::ConnectionRefused.into()) };
        let client = link
            .limits(Limits::default().unacknowledged(1))
            .connect(&here, dial)
            .unwrap();

        // Nobody takes anything out of the queue until there is a connection.
        for number in 0..5 {
            here.emit(Say { number }).report();
        }

        let figures = here.queues()[0].1;
        assert_eq!(
            (figures.depth, figures.dropped, figures.rejected),
            (3, dropped, rejected)
        );
        drop(client);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_dropped_link_did_not_deliver_is_reported() {
    let (sender, mut failures) = mpsc::unbounded_channel();
    let tell = move |failure: &tidings::Failure| {
        let id = failure.listener().map(|listener| listener.id().to_owned());
        sender.send((id, failure.kind())).expect("the test waits");
    };
    let here = Bus::builder().on_failure(tell).build().unwrap();
    let dial = || std::future::pending::<io::Result<DuplexStream>>();
    let client = link()
        .publish("chat.say")
        .unwrap()
        .connect(&here, dial)
        .unwrap();
    here.emit(Say { number: 1 });

    let late = client.close(Duration::from_millis(1)).await;

    assert!(matches!(late, Err(LinkError::TimedOut { last: None, .. })));
    let (id, kind) = failures.recv().await.unwrap();
    assert_eq!(
        (id.as_deref(), kind),
        (Some("link:chat/chat.say"), FailureKind::Abandoned)
    );
}

#[tokio::test]
async fn a_peer_that_may_not_publish_is_told_at_both_ends() {
    let (here, there) = (bus(), bus());
    let access = Access::nothing()
        .allow(&bob(), Right::Subscribe, "**")
        .unwrap();
    let lost = there.next::<tidings::transport::wire::LinkLost>();
    let server = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&there, access)
            .unwrap(),
    );
    let client = wired(link().publish("chat.say").unwrap(), &here, &server);

    let error = client.opened().await.unwrap_err();

    let text = "may not publish `chat.say`";
    assert!(
        matches!(error, LinkError::Wire(WireError::Refused(_))),
        "{error}"
    );
    assert!(error.to_string().contains(text), "{error}");
    let lost = lost.await.unwrap();
    assert!(lost.why.contains(text) && lost.peer == "bob", "{lost:?}");
}

#[tokio::test]
async fn what_the_other_bus_refuses_is_a_failure_of_the_queue_here() {
    let (sender, mut failures) = mpsc::unbounded_channel();
    let tell = move |failure: &tidings::Failure| drop(sender.send(failure.to_string()));
    let runtime = tokio::runtime::Handle::current();
    let here = Bus::builder()
        .runtime(runtime)
        .on_failure(tell)
        .build()
        .unwrap();
    // The other bus has an async listener and no runtime to run it.
    let there = Bus::builder().on_failure(|_| ()).build().unwrap();
    let server = Arc::new(
        link()
            .subscribe("chat.slow")
            .unwrap()
            .serve(&there, all())
            .unwrap(),
    );
    let client = wired(link().publish("chat.slow").unwrap(), &here, &server);

    here.emit(Slow).await;

    let failure = tokio::time::timeout(SOON, failures.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(failure.starts_with("link:chat/chat.slow"), "{failure}");
    assert!(
        failure.contains("the peer did not take it: the bus did not take it"),
        "{failure}"
    );
    client.close(SOON).await.unwrap();
}

#[event("chat.slow", serde)]
#[derive(Serialize, Deserialize)]
struct Slow;

#[listener]
async fn slowly(_: &Slow) {}

#[tokio::test]
async fn links_that_cannot_be_made_say_what_to_write() {
    let here = bus();
    let make = |pattern: &str| {
        let link = link().publish(pattern).unwrap();
        let dial = || std::future::pending::<io::Result<DuplexStream>>();
        link.connect(&here, dial)
            .err()
            .map(|error| error.to_string())
    };

    assert_eq!(make("chat.*"), None);
    let local = make("chat.local").unwrap();
    assert!(local.contains("declare it `#[event(serde)]`"), "{local}");
    let nothing = make("mail.**").unwrap();
    assert!(nothing.contains("a topic like `mail.**`"), "{nothing}");
    here.emit(Local);
}

#[tokio::test]
async fn plain_tcp_beyond_this_machine_has_to_be_allowed_and_is_told() {
    let here = bus();
    let address = "192.0.2.1:7".parse().unwrap();
    let refused = link()
        .publish("chat.say")
        .unwrap()
        .connect_tcp(&here, address);
    assert_eq!(refused.err(), Some(LinkSetupError::Plaintext { address }));

    let told = here.next::<tidings::transport::wire::PlaintextLink>();
    let allowed = link().insecure_plaintext().publish("chat.say").unwrap();
    let client = allowed.connect_tcp(&here, address).unwrap();
    assert_eq!(told.await.unwrap().address, "192.0.2.1:7");
    drop(client);
}

#[test]
fn a_link_without_tokio_says_so() {
    let here = Bus::empty();

    let served = link().subscribe("chat.say").unwrap().serve(&here, all());

    assert_eq!(served.err(), Some(LinkSetupError::NoTokio));
}

#[tokio::test]
async fn the_name_that_a_peer_gives_itself_is_told_shortened_and_on_one_line() {
    let (here, there) = (bus(), bus());
    let opened = here.next::<LinkOpened>();
    let name = format!("office\n\u{1b}[2J{}", "x".repeat(100_000));
    let server = Link::new(name).subscribe("chat.say").unwrap();
    let server = Arc::new(server.serve(&there, all()).unwrap());
    let client = wired(link().publish("chat.say").unwrap(), &here, &server);

    let peer = opened.await.unwrap().peer.clone();

    assert!(peer.starts_with("office\\n\\u{1b}[2Jxxx"), "{peer}");
    assert!(peer.len() < 300, "{} bytes", peer.len());
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_link_tells_the_bus_when_it_opens() {
    let (here, there) = (bus(), bus());
    let (opened, ours) = (there.next::<LinkOpened>(), here.next::<LinkOpened>());
    let server = Arc::new(
        link()
            .subscribe("chat.say")
            .unwrap()
            .serve(&there, all())
            .unwrap(),
    );
    let client = wired(link().publish("chat.say").unwrap(), &here, &server);

    let opened = opened.await.unwrap();

    assert_eq!(
        (opened.link.as_str(), opened.peer.as_str(), opened.times),
        ("chat", "bob", 1)
    );
    assert_eq!(ours.await.unwrap().peer, "chat");
    client.close(SOON).await.unwrap();
}
