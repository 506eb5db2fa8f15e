//! Links that end, and sessions whose peers are gone.
#![cfg(feature = "wire")]

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Identity, Limits, Link, LinkClient, LinkClosed, LinkError, LinkLost, LinkServer, Right,
};
use tidings::{Bus, Overflow, event, listener};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

/// Sooner than a heartbeat, which would have a link look for what it forgot.
const SOON: Duration = Duration::from_secs(5);

#[event("news.told", serde)]
#[derive(Serialize, Deserialize)]
struct Told {
    number: u32,
}

#[event("news.asked", serde, reply = u32)]
#[derive(Serialize, Deserialize)]
struct Asked;

/// What the bus that hears has; the other one has none.
struct Ear {
    heard: mpsc::UnboundedSender<u32>,
    asked: Notify,
    go_on: Notify,
}

#[listener]
fn hear(e: &Told, ear: Option<&Ear>) {
    if let Some(ear) = ear {
        ear.heard.send(e.number).expect("the test listens");
    }
}

#[listener(reply)]
async fn answer(_: &Asked, ear: &Ear) -> u32 {
    ear.asked.notify_one();
    ear.go_on.notified().await;
    7
}

fn mouth() -> Bus {
    let builder = Bus::builder().runtime(tokio::runtime::Handle::current());
    let bus = builder.without(answer).on_failure(|_| ()).build().unwrap();
    bus.on(|_: &LinkLost| ()).forever();
    bus
}

fn ear() -> (Bus, Arc<Ear>, mpsc::UnboundedReceiver<u32>) {
    let (sender, heard) = mpsc::unbounded_channel();
    let ear = Arc::new(Ear {
        heard: sender,
        asked: Notify::new(),
        go_on: Notify::new(),
    });
    let builder = Bus::builder().runtime(tokio::runtime::Handle::current());
    let bus = builder.state(Arc::clone(&ear)).on_failure(|_| ());
    let bus = bus.build().unwrap();
    bus.on(|_: &LinkLost| ()).forever();
    (bus, ear, heard)
}

fn link() -> Link {
    Link::new("news").backoff(Duration::ZERO, Duration::from_millis(5))
}

fn access(names: &[&str]) -> Access {
    names.iter().fold(Access::nothing(), |access, name| {
        let peer = Identity::new(*name);
        let access = access.allow(&peer, Right::Publish, "news.*").unwrap();
        access.allow(&peer, Right::Subscribe, "news.*").unwrap()
    })
}

/// Streams in memory that a server accepts as this peer: every dial makes one.
fn wired(link: Link, bus: &Bus, server: &Arc<LinkServer>, name: &'static str) -> LinkClient {
    let server = Arc::downgrade(server);
    let dial = move || {
        let stream = server.upgrade().map(|server| {
            let (ours, theirs) = tokio::io::duplex(4096);
            server.accept(theirs, Identity::new(name));
            ours
        });
        async { stream.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) }
    };
    link.connect(bus, dial).unwrap()
}

async fn listen(server: &LinkServer, name: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    server.listen_tcp(listener, Identity::new(name)).unwrap();
    address
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(SOON, future).await;
    ended.expect("it does not wait for ever")
}

#[tokio::test]
async fn a_goodbye_is_told_at_both_ends_and_the_figures_stay() {
    let ((there, _ear, mut heard), here) = (ear(), mouth());
    let server = link().subscribe("news.told").unwrap();
    let server = Arc::new(server.serve(&there, access(&["bob"])).unwrap());
    let (sender, mut left) = mpsc::unbounded_channel();
    let (watched, bus) = (Arc::clone(&server), there.downgrade());
    there
        .on(move |e: &LinkClosed| {
            let queues = bus.upgrade().map(|bus| bus.queues().len());
            let left = (e.clone(), watched.sessions().len(), queues);
            drop(sender.send(left));
        })
        .forever();
    for times in 1..=2 {
        let client = link().publish("news.told").unwrap();
        let client = wired(client, &here, &server, "bob");
        for number in 0..3 {
            here.emit(Told { number }).await;
            assert_eq!(soon(heard.recv()).await, Some(number));
        }
        let own = here.next::<LinkClosed>();
        soon(client.close(SOON)).await.unwrap();

        assert_eq!(soon(own).await.unwrap().peer, "news");
        let (closed, sessions, queues) = soon(left.recv()).await.unwrap();
        assert_eq!((&*closed.link, &*closed.peer), ("news", "bob"));
        assert_eq!((sessions, queues), (0, Some(0)));
        let all = server.stats();
        assert_eq!((all.connections, all.received), (times, 3 * times));
    }
    // One that goes without a word is lost, and its figures are there too.
    let client = link().publish("news.told").unwrap();
    let client = wired(client, &here, &server, "bob");
    client.opened().await.unwrap();
    here.emit(Told { number: 3 }).await;
    assert_eq!(soon(heard.recv()).await, Some(3));
    let lost = there.next::<LinkLost>();
    drop(client);
    soon(lost).await.unwrap();
    assert!(left.try_recv().is_err());
    let all = server.stats();
    assert_eq!((all.connections, all.received), (3, 7));
}

#[tokio::test]
async fn a_client_without_a_connection_and_with_nothing_to_send_closes_at_once() {
    let bus = mouth();
    let hour = Duration::from_secs(60 * 60);
    let dialling = link()
        .publish("news.*")
        .unwrap()
        .connect(&bus, std::future::pending::<io::Result<DuplexStream>>);
    let lost = bus.next::<LinkLost>();
    let resting = link().publish("news.*").unwrap().backoff(hour, hour);
    let resting = resting.connect(&bus, || async {
        Err::<DuplexStream, _>(io::ErrorKind::ConnectionRefused.into())
    });
    soon(lost).await.unwrap();

    dialling.unwrap().close(SOON).await.unwrap();
    resting.unwrap().close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_client_without_a_connection_and_with_something_to_send_does_not_close() {
    let bus = mouth();
    let client = link()
        .publish("news.*")
        .unwrap()
        .connect(&bus, std::future::pending::<io::Result<DuplexStream>>);
    bus.emit(Told { number: 1 }).await;

    let closed = client.unwrap().close(Duration::from_millis(20)).await;

    let error = closed.expect_err("the event is still here");
    assert!(error.to_string().contains("20ms"), "{error}");
}

/// A stream whose end the other side never takes, as with TLS over a connection that nobody reads.
struct Endless(DuplexStream);

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Endless {
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

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// A link over one stream, after which nobody is there.
fn over<S>(stream: S, bus: &Bus) -> LinkClient
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = Limits::default().handshake(Duration::from_millis(500));
    let link = link().limits(limits).publish("news.told").unwrap();
    let mut once = Some(stream);
    let dial = move || {
        let stream = once.take();
        async { stream.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) }
    };
    link.connect(bus, dial).unwrap()
}

fn hearing(bus: &Bus) -> LinkServer {
    let limits = Limits::default().handshake(Duration::from_millis(500));
    let link = link().limits(limits).subscribe("news.told").unwrap();
    link.serve(bus, access(&["bob"])).unwrap()
}

#[tokio::test]
async fn a_stream_that_does_not_end_has_no_connection_after_both_goodbyes() {
    let (here, there) = (mouth(), mouth());
    let server = hearing(&there);
    let (ours, theirs) = tokio::io::duplex(4096);
    server.accept(Endless(theirs), Identity::new("bob"));
    let client = over(ours, &here);
    soon(client.opened()).await.unwrap();

    client.close(SOON).await.unwrap();

    // It waits for every connection.
    server.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_client_whose_stream_does_not_end_is_told_and_dials_again() {
    let (here, there) = (mouth(), mouth());
    let server = hearing(&there);
    let (ours, theirs) = tokio::io::duplex(4096);
    server.accept(theirs, Identity::new("bob"));
    let client = over(Endless(ours), &here);
    soon(client.opened()).await.unwrap();
    let lost = here.next::<LinkLost>();

    server.close(SOON).await.unwrap();

    soon(lost).await.unwrap();
    let dialled = async {
        loop {
            match client.opened().await {
                Err(LinkError::Left) | Ok(()) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        }
    };
    let error = soon(dialled).await;
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_server_that_closes_lets_nobody_in_again_that_has_left() {
    let (there, ear, _heard) = ear();
    let server = link().subscribe("news.told").unwrap().answers::<Asked>();
    let server = server.serve(&there, access(&["quick", "slow"])).unwrap();
    let (quick_bus, slow_bus) = (mouth(), mouth());
    let quick = link().publish("news.told").unwrap();
    let quick = quick.connect_tcp(&quick_bus, listen(&server, "quick").await);
    let quick = quick.unwrap();
    let slow = link().asks::<Asked>();
    let slow = slow.connect_tcp(&slow_bus, listen(&server, "slow").await);
    let slow = slow.unwrap();
    quick.opened().await.unwrap();
    slow.opened().await.unwrap();
    let asked = tokio::spawn({
        let bus = slow_bus.clone();
        async move { bus.request(Asked).within(SOON).await }
    });
    soon(ear.asked.notified()).await;
    let refused = Arc::new(Notify::new());
    let told = Arc::clone(&refused);
    let watching = quick_bus.on(move |lost: &LinkLost| {
        if lost.why.contains("closing") {
            told.notify_one();
        }
    });

    let closing = server.close(SOON);
    let finish = async {
        // It has parted and came again.
        soon(refused.notified()).await;
        ear.go_on.notify_one();
    };
    let (closed, ()) = tokio::join!(closing, finish);

    closed.unwrap();
    assert_eq!(asked.await.unwrap().unwrap(), 7);
    assert_eq!(quick.stats().connections, 1);
    drop(watching);
}

#[tokio::test]
async fn a_peer_that_was_started_anew_takes_the_place_of_its_former_session() {
    let there = mouth();
    let server = link().queue(|queue| queue.queue(4).overflow(Overflow::Block));
    let server = server.publish("news.told").unwrap();
    let server = Arc::new(server.serve(&there, access(&["bob"])).unwrap());
    let subscriber = || link().subscribe("news.told").unwrap();
    let (here, _ear, mut heard) = ear();
    let former = wired(subscriber(), &here, &server, "bob");
    former.opened().await.unwrap();
    while there.queues().is_empty() {
        tokio::task::yield_now().await;
    }
    let lost = there.next::<LinkLost>();
    drop(former);
    soon(lost).await.unwrap();
    // Nobody takes them, and the last one waits for room.
    for number in 0..4 {
        there.emit(Told { number }).await;
    }
    let waiting = there.emit(Told { number: 4 });

    let next = wired(subscriber(), &here, &server, "bob");
    next.opened().await.unwrap();

    soon(waiting.into_future()).await;
    assert_eq!(server.sessions().len(), 1);
    for number in 100..120 {
        soon(there.emit(Told { number }).into_future()).await;
    }
    for number in 100..120 {
        assert_eq!(soon(heard.recv()).await, Some(number));
    }
}

#[tokio::test]
async fn a_former_start_is_not_kept_once_its_connection_has_ended() {
    let there = mouth();
    let server = link().publish("news.told").unwrap();
    let server = Arc::new(server.serve(&there, access(&["bob"])).unwrap());
    let subscriber = || link().subscribe("news.told").unwrap();
    let ((before, _ear, _), (after, _ears, mut heard)) = (ear(), ear());
    let former = wired(subscriber(), &before, &server, "bob");
    former.opened().await.unwrap();
    // It was started again, and the end of the former connection is not known here.
    let next = wired(subscriber(), &after, &server, "bob");
    next.opened().await.unwrap();
    // The client may be told before the server has its queue.
    while there.queues().len() < 2 {
        tokio::task::yield_now().await;
    }
    let mut ids: Vec<_> = there
        .queues()
        .iter()
        .map(|it| it.0.id().to_owned())
        .collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        ["link:news@bob#2/news.told", "link:news@bob/news.told"]
    );

    drop(former);

    while server.sessions().len() > 1 || there.queues().len() > 1 {
        tokio::task::yield_now().await;
    }
    soon(there.emit(Told { number: 7 }).into_future()).await;
    assert_eq!(soon(heard.recv()).await, Some(7));
}

#[tokio::test]
async fn links_of_one_program_that_have_the_same_name_do_not_end_each_other() {
    let there = mouth();
    let server = link().publish("news.told").unwrap();
    let server = Arc::new(server.serve(&there, access(&["bob"])).unwrap());
    let (here, _ear, _heard) = ear();
    let subscriber = || link().subscribe("news.told").unwrap();
    let first = wired(subscriber(), &here, &server, "bob");
    first.opened().await.unwrap();
    let second = wired(subscriber(), &here, &server, "bob");
    second.opened().await.unwrap();

    let lost = there.next::<LinkLost>();
    drop(first);
    soon(lost).await.unwrap();

    assert_eq!(server.sessions().len(), 2);
}

#[tokio::test]
async fn a_server_has_as_many_places_as_it_is_told() {
    let there = mouth();
    let server = link().publish("news.told").unwrap().sessions(3, 2);
    let server = Arc::new(server.serve(&there, access(&["many", "one"])).unwrap());
    let bus = mouth();
    let mut all = Vec::new();
    let mut come = async |name, link: &str| {
        let link = Link::new(link).subscribe("news.told").unwrap();
        let client = wired(link, &bus, &server, name);
        let opened = client.opened().await;
        all.push(client);
        opened.map_err(|error| error.to_string())
    };

    come("many", "a").await.unwrap();
    come("many", "b").await.unwrap();
    let error = come("many", "c").await.unwrap_err();
    assert!(error.contains("there are 2 sessions"), "{error}");
    come("one", "a").await.unwrap();
    let error = come("one", "b").await.unwrap_err();
    assert!(error.contains("there are 3 sessions"), "{error}");
}

#[tokio::test]
async fn a_listener_has_as_many_connections_as_it_is_told() {
    let there = mouth();
    let server = link().publish("news.told").unwrap().connections(1);
    let server = server.serve(&there, access(&["bob"])).unwrap();
    let address = listen(&server, "bob").await;
    let (here, _ear, _heard) = ear();
    let connect = |name: &str| {
        let link = Link::new(name).subscribe("news.told").unwrap();
        link.connect_tcp(&here, address).unwrap()
    };
    let first = connect("first");
    first.opened().await.unwrap();

    let second = connect("second");
    let lost = there.next::<LinkLost>();
    drop(first);
    soon(lost).await.unwrap();

    soon(second.opened()).await.unwrap();
}

#[tokio::test]
async fn a_peer_of_another_link_does_not_end_a_session_that_may_come_again() {
    let there = mouth();
    let server = link().publish("news.told").unwrap();
    let server = Arc::new(server.serve(&there, access(&["bob"])).unwrap());
    let (here, _ear, _heard) = ear();
    let former = wired(
        link().subscribe("news.told").unwrap(),
        &here,
        &server,
        "bob",
    );
    former.opened().await.unwrap();
    let lost = there.next::<LinkLost>();
    drop(former);
    soon(lost).await.unwrap();

    let other = Link::new("other").subscribe("news.told").unwrap();
    let other = wired(other, &here, &server, "bob");
    other.opened().await.unwrap();

    assert_eq!(server.sessions().len(), 2);
}

#[tokio::test]
async fn one_peer_cannot_take_all_the_sessions_of_a_server() {
    const ITS_OWN: usize = 256;
    let there = mouth();
    let server = link().publish("news.told").unwrap();
    let server = Arc::new(server.serve(&there, access(&["many", "one"])).unwrap());
    let bus = mouth();
    let mut all = Vec::new();
    for number in 0..ITS_OWN {
        let link = Link::new(format!("{number}"))
            .subscribe("news.told")
            .unwrap();
        let client = wired(link, &bus, &server, "many");
        client.opened().await.unwrap();
        all.push(client);
    }
    let more = || {
        wired(
            Link::new("more").subscribe("news.told").unwrap(),
            &bus,
            &server,
            "many",
        )
    };

    let refused = more();
    let error = refused.opened().await.unwrap_err();
    assert!(error.to_string().contains("256 sessions"), "{error}");
    drop(refused);
    let one = wired(link().subscribe("news.told").unwrap(), &bus, &server, "one");
    one.opened().await.unwrap();

    // One that is without a connection gives way.
    for _ in 0..2 {
        let lost = there.next::<LinkLost>();
        drop(all.pop());
        soon(lost).await.unwrap();
    }
    let instead = more();
    instead.opened().await.unwrap();
    assert_eq!(server.sessions().len(), ITS_OWN + 1);
}

#[tokio::test]
async fn a_client_that_nobody_lets_in_tries_again_as_seldom_as_it_is_told() {
    use std::sync::atomic::{AtomicU32, Ordering};

    const TIME: Duration = Duration::from_secs(1);
    let (min, max) = (Duration::from_millis(40), Duration::from_millis(160));
    let there = mouth();
    let server = link().subscribe("news.told").unwrap();
    // Bob may do nothing there.
    let server = Arc::new(server.serve(&there, access(&["alice"])).unwrap());
    // Nobody is there, somebody refuses, and somebody hangs up.
    for way in 0..3 {
        let tries = Arc::new(AtomicU32::new(0));
        let (count, server) = (Arc::clone(&tries), Arc::clone(&server));
        let dial = move || {
            count.fetch_add(1, Ordering::Relaxed);
            let (ours, theirs) = tokio::io::duplex(4096);
            match way {
                0 => drop(theirs),
                1 => server.accept(theirs, Identity::new("bob")),
                _ => {}
            }
            async move {
                match way {
                    2 => Err(io::ErrorKind::ConnectionRefused.into()),
                    _ => Ok::<_, io::Error>(ours),
                }
            }
        };
        let here = mouth();
        let client = link().publish("news.told").unwrap().backoff(min, max);
        let client = client.connect(&here, dial).unwrap();
        tokio::time::sleep(TIME).await;
        let tries = tries.load(Ordering::Relaxed);
        let most = u32::try_from(TIME.as_millis() / min.as_millis()).unwrap() + 1;
        assert!((4..=most).contains(&tries), "{tries} tries in way {way}");
        drop(client);
    }
}
