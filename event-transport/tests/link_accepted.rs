//! When the bus of the peer has an event, when it does not want it, and how payloads are written.
#![cfg(feature = "wire")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/post.rs"]
mod post;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use post::{
    Counter, Heard, Letter, Parcel, SOON, all, bob, hear, hearing, link, runtime, serve, soon,
    take, telling, wired,
};
use tidings::transport::wire::{
    Codec, CodecError, EventRefused, Json, Limits, PlaintextLink, envelope,
};
use tidings::{AnyEvent, Bus, Emission};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};

#[tokio::test]
async fn an_event_is_acknowledged_when_the_queue_of_the_other_bus_has_taken_it() {
    let (here, _told) = telling();
    let counter = Arc::new(Counter {
        may: Semaphore::new(0),
        taken: watch::Sender::new(0),
    });
    let there = Bus::builder().runtime(runtime()).without(hear);
    let there = there.state(Arc::clone(&counter)).build().unwrap();
    let server = serve(link().subscribe("post.parcel").unwrap(), &there);
    let client = wired(link().publish("post.parcel").unwrap(), &here, &server);
    client.opened().await.unwrap();

    for number in 0..6 {
        here.emit(Parcel { number }).await;
    }
    while client.stats().acknowledged < 2 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    // One is with the listener, one in its queue, and the others are still this side's.
    assert_eq!((client.stats().sent, client.stats().acknowledged), (6, 2));

    for more in 1..=4 {
        counter.may.add_permits(1);
        while client.stats().acknowledged < 2 + more {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(client.stats().acknowledged, 2 + more);
    }
    counter.may.add_permits(2);
    soon(client.close(SOON)).await.unwrap();
    let mut taken = counter.taken.subscribe();
    soon(taken.wait_for(|taken| *taken == 6)).await.unwrap();
}

#[tokio::test]
async fn a_bus_that_takes_nothing_holds_back_who_emits_and_costs_no_more_than_its_limits() {
    let (here, _told) = telling();
    let counter = Arc::new(Counter {
        may: Semaphore::new(0),
        taken: watch::Sender::new(0),
    });
    let there = Bus::builder().runtime(runtime()).without(hear);
    let there = there.state(Arc::clone(&counter)).build().unwrap();
    let limits = Limits::default()
        .receive(0)
        .max_frame(1024)
        .unacknowledged(8);
    let server = link().limits(limits).subscribe("post.parcel").unwrap();
    let server = serve(server, &there);
    let client = link().limits(limits).publish("post.parcel").unwrap();
    let client = wired(client.queue(|queue| queue.queue(4)), &here, &server);
    client.opened().await.unwrap();

    let bus = here.clone();
    let emitted = Arc::new(watch::Sender::new(0));
    let count = Arc::clone(&emitted);
    let emitting = tokio::spawn(async move {
        for number in 0..1000 {
            bus.emit(Parcel { number }).await;
            count.send_replace(number + 1);
        }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Two are taken there, eight not acknowledged, four in the queue, and no more.
    assert_eq!(*emitted.borrow(), 14);
    let figures = here.queues()[0].1;
    assert_eq!(
        (figures.delivered, figures.in_flight, figures.depth),
        (2, 8, 4)
    );
    assert_eq!(client.stats().acknowledged, 2);
    assert!(server.sessions()[0].1.received <= 10);

    counter.may.add_permits(1000);
    soon(emitting).await.unwrap();
    soon(client.close(SOON)).await.unwrap();
    let mut taken = counter.taken.subscribe();
    soon(taken.wait_for(|taken| *taken == 1000)).await.unwrap();
}

#[tokio::test]
async fn what_waits_for_the_bus_has_the_place_of_its_session_after_it_too() {
    let (here, _told) = telling();
    let counter = Arc::new(Counter {
        may: Semaphore::new(0),
        taken: watch::Sender::new(0),
    });
    let there = Bus::builder().runtime(runtime()).without(hear);
    let there = there.state(Arc::clone(&counter)).build().unwrap();
    // A session is gone with its connection.
    let server = link().sessions(2, 2).resume_within(Duration::ZERO);
    let server = serve(server.subscribe("post.parcel").unwrap(), &there);
    let another = || wired(link().publish("post.parcel").unwrap(), &here, &server);
    for _ in 0..2 {
        let client = another();
        client.opened().await.unwrap();
        for number in 0..4 {
            here.emit(Parcel { number }).await;
        }
        while server
            .sessions()
            .first()
            .is_none_or(|(_, it)| it.received < 4)
        {
            tokio::task::yield_now().await;
        }
        drop(client);
        while !server.sessions().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    let refused = another();
    let error = soon(refused.opened()).await.unwrap_err();
    assert!(error.to_string().contains("2 sessions"), "{error}");

    counter.may.add_permits(8);
    let mut taken = counter.taken.subscribe();
    soon(taken.wait_for(|taken| *taken == 8)).await.unwrap();
    let let_in = async {
        while refused.opened().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(let_in).await;
    soon(refused.close(SOON)).await.unwrap();
}

#[tokio::test]
async fn topics_take_turns_where_there_is_room_for_one_event() {
    let ((here, _told), (there, heard)) = (telling(), hearing());
    let also = Arc::clone(&heard);
    let hear_parcel = move |e: &Parcel| {
        also.all.lock().unwrap().push((e.number, envelope()));
        also.count.send_modify(|count| *count += 1);
    };
    there.on(hear_parcel).forever();
    let server = serve(link().subscribe("post.*").unwrap(), &there);
    let client = link().limits(Limits::default().unacknowledged(1));
    let client = wired(client.publish("post.*").unwrap(), &here, &server);
    // There is no connection yet, so all of them wait.
    for number in 0..10 {
        assert_eq!(here.emit(Letter { number }).report().queued(), 1);
    }
    for number in 10..20 {
        assert_eq!(here.emit(Parcel { number }).report().queued(), 1);
    }

    heard.wait_for(20).await;

    let turns: Vec<_> = heard.numbers().chunks(2).map(<[u32]>::to_vec).collect();
    let expected: Vec<_> = (0..10).map(|number| vec![number, number + 10]).collect();
    assert_eq!(turns, expected);
    soon(client.close(SOON)).await.unwrap();
}

#[tokio::test]
async fn an_event_that_comes_back_to_where_it_began_is_refused_and_the_link_goes_on() {
    let (here, heard) = hearing();
    let echoed = Arc::new(Heard::default());
    let (sender, mut told) = mpsc::unbounded_channel();
    let tell = move |failure: &tidings::Failure| drop(sender.send(failure.to_string()));
    let there = Bus::builder().runtime(runtime()).without(take);
    let there = there.state(Arc::clone(&echoed)).on_failure(tell);
    let there = there.build().unwrap();
    let out = serve(link().subscribe("post.letter").unwrap(), &there);
    let back = serve(link().subscribe("post.letter").unwrap(), &here);
    let first = wired(link().publish("post.letter").unwrap().relay(8), &here, &out);
    let second = wired(
        link().publish("post.letter").unwrap().relay(8),
        &there,
        &back,
    );
    first.opened().await.unwrap();
    second.opened().await.unwrap();
    let refused = here.next::<EventRefused>();

    here.emit(Letter { number: 1 }).await;

    let refused = soon(refused.into_future()).await.unwrap();
    assert_eq!(refused.topic, "post.letter");
    let failure = soon(told.recv()).await.unwrap();
    assert!(failure.contains("the peer did not take it"), "{failure}");
    assert!(failure.contains(&refused.why), "{failure}: {}", refused.why);
    there.emit(Letter { number: 2 }).await;
    heard.wait_for(2).await;
    soon(first.close(SOON)).await.unwrap();
    soon(second.close(SOON)).await.unwrap();
    assert_eq!(heard.numbers(), [1, 2]);
    // The second letter was refused when it came back to where it began, too.
    assert_eq!(echoed.numbers(), [1, 2]);
}

/// Writes another payload for each letter.
#[derive(Debug)]
struct Forger;

impl Codec for Forger {
    fn content_type(&self) -> &'static str {
        Json.content_type()
    }

    fn write(&self, event: &AnyEvent<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut own = Vec::new();
        Json.write(event, &mut own)?;
        let deep = "[".repeat(100_000);
        match &*own {
            br#"{"number":1}"# => out.extend_from_slice(br#"{"number":"one"}"#),
            br#"{"number":2}"# => out.extend_from_slice(deep.as_bytes()),
            br#"{"number":3}"# => out.extend_from_slice(br#"{"number":3} {}"#),
            br#"{"number":4}"# => out.extend_from_slice(b"\xff\xfe"),
            br#"{"number":5}"# => {}
            _ => *out = own,
        }
        Ok(())
    }

    fn emit(&self, bus: &Bus, topic: &str, payload: &[u8]) -> Result<Emission, CodecError> {
        Json.emit(bus, topic, payload)
    }
}

#[tokio::test]
async fn payloads_that_do_not_fit_are_told_at_both_ends_and_the_link_goes_on() {
    let ((here, mut told), (there, heard)) = (telling(), hearing());
    let (sender, mut refused) = mpsc::unbounded_channel();
    let tell = move |e: &EventRefused| drop(sender.send(e.clone()));
    there.on(tell).forever();
    let server = serve(link().subscribe("post.letter").unwrap(), &there);
    let client = link().publish("post.letter").unwrap().codec(Forger);
    let client = wired(client, &here, &server);

    for number in 1..=6 {
        here.emit(Letter { number }).await;
    }
    heard.wait_for(1).await;

    let words = [
        "invalid type: string",
        "recursion limit exceeded",
        "trailing characters",
        "utf-8",
        "EOF",
    ];
    for words in words {
        let refused = soon(refused.recv()).await.unwrap();
        let (topic, peer) = (refused.topic.as_str(), refused.peer.as_str());
        assert_eq!((topic, peer), ("post.letter", "bob"));
        let known = refused.why.contains(words);
        // `[` in place of an object is refused at the first one.
        let shallow = words.starts_with("recursion") && refused.why.contains("invalid type");
        assert!(known || shallow, "{words}: {}", refused.why);
        let failure = soon(told.recv()).await.unwrap();
        assert!(failure.contains("the payload does not fit"), "{failure}");
    }
    assert_eq!(heard.numbers(), [6]);
    let stats = client.stats();
    assert_eq!((stats.connections, stats.rejected), (1, 5));
    soon(client.close(SOON)).await.unwrap();
}

/// A form of its own: the text, backwards.
#[derive(Debug)]
struct Backwards;

impl Codec for Backwards {
    fn content_type(&self) -> &'static str {
        "application/x-backwards"
    }

    fn write(&self, event: &AnyEvent<'_>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        Json.write(event, out)?;
        out.reverse();
        Ok(())
    }

    fn emit(&self, bus: &Bus, topic: &str, payload: &[u8]) -> Result<Emission, CodecError> {
        let text: Vec<u8> = payload.iter().rev().copied().collect();
        Json.emit(bus, topic, &text)
    }
}

#[tokio::test]
async fn a_link_writes_payloads_as_it_is_told_and_both_sides_have_to_agree() {
    let ((here, _told), (there, heard)) = (telling(), hearing());
    let wants = || link().subscribe("post.letter").unwrap();
    let offers = || link().publish("post.letter").unwrap();
    let server = serve(wants().codec(Backwards), &there);
    let client = wired(offers().codec(Backwards), &here, &server);
    let before = SystemTime::now();
    here.emit(Letter { number: 12 }).await;
    heard.wait_for(1).await;
    let after = SystemTime::now();
    soon(client.close(SOON)).await.unwrap();
    let (number, envelope) = heard.all.lock().unwrap()[0].clone();
    let envelope = envelope.expect("it came over a link");
    let time = envelope.time;
    assert_eq!((number, envelope.topic), (12, "post.letter"));
    assert_eq!(envelope.content_type, "application/x-backwards");
    // The envelope has microseconds.
    let least = before - Duration::from_micros(1);
    assert!(least <= time && time <= after, "{time:?}");

    let other = serve(wants(), &there);
    let client = wired(offers().codec(Backwards), &here, &other);
    let error = client.opened().await.unwrap_err().to_string();
    for name in ["application/json", "application/x-backwards"] {
        assert!(error.contains(name), "{error}");
    }
}

#[tokio::test]
async fn plain_tcp_is_not_served_beyond_this_machine_unless_it_is_allowed_and_told() {
    let (there, _heard) = hearing();
    let wants = || link().subscribe("post.letter").unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let server = wants().serve(&there, all()).unwrap();
    let error = server.listen_tcp(listener, bob()).unwrap_err().to_string();
    assert!(error.contains("insecure_plaintext"), "{error}");

    let told = there.next::<PlaintextLink>();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = wants().insecure_plaintext().serve(&there, all()).unwrap();
    server.listen_tcp(listener, bob()).unwrap();
    assert_eq!(soon(told.into_future()).await.unwrap().address, address);
}

#[test]
fn a_link_works_in_the_tasks_of_an_event_loop() {
    let lp = tidings::EventLoop::new().unwrap();
    let ended = lp.run_until_complete(lp.timeout(SOON, async {
        let ((here, _told), (there, heard)) = (telling(), hearing());
        let server = link().subscribe("post.letter").unwrap();
        let server = server.serve(&there, all()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        server.listen_tcp(listener, bob()).unwrap();
        let client = link().publish("post.letter").unwrap();
        let client = client.connect_tcp(&here, address).unwrap();
        for number in 0..10 {
            here.emit(Letter { number }).await;
        }
        client.close(SOON).await.unwrap();
        heard.numbers()
    }));
    let heard = ended.unwrap().expect("it does not wait for ever");
    assert_eq!(heard, (0..10).collect::<Vec<_>>());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_goes_through_the_pipes_of_a_child() {
    let ((here, _told), (there, heard)) = (telling(), hearing());
    let server = link().subscribe("post.letter").unwrap();
    let server = server.serve(&there, all()).unwrap();
    // One child for each direction, which passes on what it reads.
    let mut ways = Vec::new();
    for _ in 0..2 {
        let mut child = tokio::process::Command::new("cat");
        child.stdin(std::process::Stdio::piped());
        child
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true);
        ways.push(child.spawn().unwrap());
    }
    let [up, down] = &mut ways[..] else {
        unreachable!("there are two");
    };
    let (up_in, up_out) = (up.stdin.take().unwrap(), up.stdout.take().unwrap());
    let (down_in, down_out) = (down.stdin.take().unwrap(), down.stdout.take().unwrap());
    server.accept(tokio::io::join(up_out, down_in), bob());
    let mut ours = Some(tokio::io::join(down_out, up_in));
    let dial = move || {
        let stream = ours.take().ok_or(io::ErrorKind::ConnectionRefused);
        async { Ok(stream?) }
    };
    let client = link().publish("post.letter").unwrap().connect(&here, dial);
    let client = client.unwrap();
    for number in 0..10 {
        here.emit(Letter { number }).await;
    }
    soon(client.close(SOON)).await.unwrap();
    assert_eq!(heard.numbers(), (0..10).collect::<Vec<_>>());
}
