//! What a protocol has of a bus: state, the delivery, and listeners that are told of its connections.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::raw::raw;
use support::{Log, Silent, Witness, failures, pause, run};
use tidings::event_loop::{Fatal, JoinHandle, LoopError};
use tidings::transport::{
    ConnectionLost, ConnectionMade, DataReceived, ProtocolRef, Side, Transport, TransportErrorKind,
    WriteLimits, connect, connect_with, memory, pair, serve, stream,
};
use tidings::{AnyEvent, Bus, Context, EventLoop, emit, event, listener, protocol};

/// What was heard on a bus.
type Heard = Mutex<Vec<String>>;

fn heard(list: &Heard) -> Vec<String> {
    std::mem::take(&mut list.lock().unwrap())
}

#[event]
struct Counted {
    bytes: usize,
}

#[listener]
fn note(e: &Counted, list: &Heard, cx: Context<'_>) {
    let cause = cx.cause().is_some();
    (list.lock().unwrap()).push(format!("{} at {}, cause {cause}", e.bytes, cx.depth()));
}

#[listener]
fn made(e: &ConnectionMade, list: &Heard) {
    let connection = &e.connection;
    let entry = format!("made {} {:?}", connection.label(), connection.side());
    list.lock().unwrap().push(entry);
}

#[listener]
async fn lost(e: &ConnectionLost, list: &Heard) {
    let entry = format!("lost {} {:?}", e.connection.label(), e.error);
    list.lock().unwrap().push(entry);
}

#[listener("transport.*")]
fn count(_: &AnyEvent<'_>, count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn bus() -> (Bus, Arc<Heard>) {
    let list = Arc::new(Heard::default());
    let bus = Bus::builder()
        .state(Arc::clone(&list))
        .state(AtomicUsize::new(7))
        .build();
    (bus.unwrap(), list)
}

#[derive(Default)]
struct Counter(Vec<String>);

#[protocol]
impl Counter {
    /// Counts what comes.
    #[listener]
    fn data(
        &mut self,
        e: &DataReceived,
        t: &Transport,
        count: &AtomicUsize,
        cx: Context<'_>,
        missing: Option<&String>,
    ) {
        let count = count.load(Ordering::Relaxed);
        let listener = cx.listener();
        assert_eq!(listener.id(), "protocols::Counter::data");
        assert_eq!(listener.docs(), "Counts what comes.");
        assert_eq!(listener.hears(), ["transport.data_received"]);
        assert!(listener.location().file().ends_with("protocols.rs"));
        assert!(missing.is_none() && !t.is_closing());
        self.0
            .push(format!("{} {count} {}", cx.topic(), cx.depth()));
        cx.emit(Counted { bytes: 1 });
        emit(Counted {
            bytes: e.data.len(),
        });
    }
}

#[test]
fn parameters_are_state_of_the_bus_and_the_delivery() {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    let (bus, list) = bus();
    run(&lp, async {
        let (raw, script) = raw(0);
        let (t, counter) = connect::<Counter>(&lp, stream(raw)).on(&bus).await?;
        script.read(b"hello");
        while counter.with(|counter| counter.0.is_empty())? {
            pause(&lp).await;
        }
        let expected = ["transport.data_received 7 0"];
        assert_eq!(counter.with(|counter| counter.0.clone())?, expected);
        t.abort();
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
    assert_eq!(heard(&list), ["1 at 1, cause false", "5 at 1, cause false"]);
}

/// Wants more than there is.
#[derive(Default)]
struct Greedy;

#[protocol]
impl Greedy {
    #[listener]
    fn data(_: &DataReceived, _: &String, _: &Vec<u32>) {}
}

#[test]
fn state_that_the_bus_was_not_given_is_an_error_before_there_is_a_connection() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let bus = Bus::empty();
        let place = memory();
        let error = serve::<Counter>(&lp, place.clone())
            .on(&bus)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::State);
        let message = error.to_string();
        let expected = "listener `protocols::Counter::data` needs state `core::sync::atomic::AtomicUsize` (parameter `count`), which this bus was not given; given: none";
        assert!(
            message.contains(expected) && message.contains("protocols.rs"),
            "{message}"
        );
        assert!(
            message.contains("give it: `Bus::builder().state(..)`"),
            "{message}"
        );
        let error = serve::<Greedy>(&lp, place.clone()).on(&bus).await;
        let message = error.unwrap_err().to_string();
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(
            lines[0],
            "the bus has not what the protocol asks for: 2 problems"
        );
        let begin = lines
            .iter()
            .filter(|line| line.starts_with("  [missing-state]"));
        assert_eq!(begin.count(), 2, "{message}");

        let (raw, script) = raw(0);
        let error = connect::<Counter>(&lp, stream(raw))
            .on(&bus)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::State);
        assert!(script.is_dropped());

        let (t, _) = connect::<Silent>(&lp, pair().0).on(&bus).await?;
        let error = t.upgrade(Counter::default()).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::State);
        assert!(t.protocol::<Silent>().is_some());
        Ok(())
    });
}

#[test]
fn the_bus_hears_of_the_connections_of_a_labelled_endpoint_and_of_no_other() {
    let lp = EventLoop::virtual_time();
    let (bus, list) = bus();
    run(&lp, async {
        let (admin, public) = (memory(), memory());
        let server = serve::<Silent>(&lp, admin.clone())
            .label("admin")
            .on(&bus)
            .await?;
        let _public = serve::<Silent>(&lp, public.clone()).on(&bus).await?;
        connect::<Silent>(&lp, public).on(&bus).await?;
        let (t, _) = connect::<Silent>(&lp, admin).await?;
        lp.sleep(Duration::from_secs(1)).await;
        assert_eq!(heard(&list), ["made admin Server"]);
        let connection = server.transports()[0].connection().clone();
        assert_eq!(
            (connection.side(), connection.label()),
            (Side::Server, "admin")
        );
        assert_ne!(connection.id(), t.connection().id());
        t.abort();
        lp.sleep(Duration::from_secs(1)).await;
        assert_eq!(heard(&list), ["lost admin None"]);
        Ok(())
    });
}

#[test]
fn the_bus_hears_of_a_connection_before_its_protocol_and_of_its_loss_after_it() {
    struct Noisy(Log);

    #[protocol]
    impl Noisy {
        #[listener]
        fn made(&mut self, _: &ConnectionMade) {
            self.0.add("protocol made");
            emit(Counted { bytes: 1 });
        }

        #[listener]
        fn lost(_: &ConnectionLost) {
            emit(Counted { bytes: 2 });
        }
    }

    let lp = EventLoop::virtual_time();
    let (bus, list) = bus();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let noisy = connect_with(&lp, pair().0, move || Noisy(own));
        let (t, _) = noisy.label("x").on(&bus).await?;
        t.wait_closed().await;
        lp.sleep(Duration::from_secs(1)).await;
        assert_eq!(log.take(), ["protocol made"]);
        Ok(())
    });
    let expected = [
        "made x Client",
        "1 at 1, cause false",
        "2 at 1, cause false",
        "lost x None",
    ];
    assert_eq!(heard(&list), expected);
}

#[test]
fn the_bus_of_an_endpoint_is_current_in_its_listeners_whoever_writes() {
    struct Full;

    #[protocol]
    impl Full {
        #[listener]
        fn paused(_: &tidings::transport::WritingPaused) {
            emit(Counted { bytes: 3 });
        }
    }

    let lp = EventLoop::virtual_time();
    let ((bus, list), (_other, others)) = (bus(), bus());
    run(&lp, async {
        let (raw, _script) = raw(0);
        let (t, _) = connect_with(&lp, stream(raw), || Full).on(&bus).await?;
        t.write(vec![0; 65 * 1024])?;
        Ok(())
    });
    assert_eq!(heard(&list), ["3 at 1, cause false"]);
    assert!(heard(&others).is_empty());
}

#[test]
fn a_protocol_that_takes_over_while_writing_is_paused_is_told_so() {
    let lp = EventLoop::virtual_time();
    let (first, second) = (Log::default(), Log::default());
    run(&lp, async {
        let (raw, script) = raw(0);
        let own = first.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.set_write_limits(WriteLimits::high(1));
        t.write("xx")?;
        let witness: ProtocolRef<Witness> = t.upgrade(Witness::of(&second))?;
        assert_eq!(second.take(), ["paused"]);
        script.with(|state| state.room = 10);
        second.wait(&lp, "resumed").await;
        assert_eq!(witness.transport().connection().id(), t.connection().id());
        Ok(())
    });
    assert_eq!(first.take(), ["made", "paused"]);
}

#[test]
fn an_instance_is_in_use_inside_of_its_own_listeners() {
    #[derive(Default)]
    struct Curious(Option<String>);

    #[protocol]
    impl Curious {
        #[listener]
        fn made(&mut self, _: &ConnectionMade, t: &Transport) {
            let own: ProtocolRef<Self> = t.protocol().expect("it is the protocol");
            self.0 = own.with(|_| ()).err().map(|busy| busy.to_string());
        }
    }

    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (_t, curious) = connect::<Curious>(&lp, pair().0).await?;
        let said = curious.with(|curious| curious.0.take())?;
        let expected = "the protocol is in use here: inside of a listener the instance is `self`";
        assert_eq!(said.as_deref(), Some(expected));
        Ok(())
    });
}

#[test]
fn al28_a_fatal_error_of_a_listener_ends_the_run() {
    struct Last;

    #[protocol]
    impl Last {
        #[listener]
        fn data(_: &DataReceived) -> Result<(), Fatal> {
            Err(Fatal::new("the disk is gone"))
        }
    }

    let lp = EventLoop::virtual_time();
    let ended = lp.run_until_complete(async {
        let (raw, script) = raw(0);
        script.read(b"x");
        let (t, _) = connect_with(&lp, stream(raw), || Last).await.unwrap();
        t.wait_closed().await;
    });
    let Err(LoopError::Fatal(fatal)) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(fatal.to_string(), "the disk is gone");
}

#[test]
fn a_task_may_write_at_its_own_pace() {
    /// Answers each byte after a second.
    struct Slow;

    #[protocol]
    impl Slow {
        #[listener]
        fn data(e: &DataReceived, t: &Transport) -> Result<(), LoopError> {
            let (t, data) = (t.clone(), e.data.clone());
            let answer = async move {
                t.event_loop().sleep(Duration::from_secs(1)).await;
                t.write(data).map(drop)
            };
            let lp = EventLoop::current().expect("a listener runs on a loop");
            lp.spawn(answer).map(JoinHandle::<Result<_, _>>::detach)
        }
    }

    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (ours, theirs) = pair();
        connect_with(&lp, theirs, || Slow).await?;
        let log = Log::default();
        let own = log.clone();
        let (t, _) = connect_with(&lp, ours, move || Witness::of(&own)).await?;
        t.write("tick")?;
        log.wait(&lp, "data tick").await;
        assert!(lp.elapsed() >= Duration::from_secs(1));
        Ok(())
    });
}

#[test]
fn the_catalog_shows_the_events_of_connections_that_a_listener_hears() {
    let topics = tidings::catalog()
        .events()
        .iter()
        .map(|event| event.topic());
    let topics: Vec<_> = topics
        .filter(|topic| topic.starts_with("transport.connection_"))
        .collect();
    let expected = ["transport.connection_lost", "transport.connection_made"];
    assert_eq!(topics, expected);
}
