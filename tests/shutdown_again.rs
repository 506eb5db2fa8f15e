//! A bus ends once: whoever shuts it down, and however often.
#![cfg(all(feature = "tokio", feature = "test"))]

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{Bus, BusBuilder, FailureKind, Shutdown, event, listener};
use tokio::runtime::{Builder, Handle, Runtime};

/// No test waits that long.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

#[event]
struct Printed;

/// Begins when the test has the thread, and goes on when it lets it.
#[listener(queue = 4)]
fn file(_: &Printed, gate: &Gate) {
    gate.pass();
}

struct Gate(Mutex<(Sender<()>, Receiver<()>)>);

impl Gate {
    fn pass(&self) {
        let (entered, open) = &*self.0.lock().unwrap();
        let _ = entered.send(());
        // Without a sender all are let through.
        let _ = open.recv();
    }
}

#[event]
struct Stuck;

/// What a listener holds while it runs.
struct Witness;

#[listener]
async fn never_ends(_: &Stuck, _: &Witness) {
    pending::<()>().await;
}

#[listener(timeout = "20h")]
async fn ends_late(_: &Stuck, _: &Witness) {
    pending::<()>().await;
}

#[listener(queue = 4)]
async fn never_ends_in_a_queue(_: &Stuck, _: &Witness) {
    pending::<()>().await;
}

#[event]
struct Read;

#[listener]
fn reads(_: &Read, gate: &Gate) -> Line {
    gate.pass();
    Line
}

#[event]
struct Line;

#[listener]
fn line(_: &Line) {}

type Told = Arc<Mutex<Vec<FailureKind>>>;

struct Fixture {
    bus: Bus,
    entered: Receiver<()>,
    open: Sender<()>,
    told: Told,
}

fn fixture(change: impl FnOnce(BusBuilder) -> BusBuilder) -> Fixture {
    let (enter, entered) = channel();
    let (open, opened) = channel();
    let told = Told::default();
    let hook = Arc::clone(&told);
    let builder = Bus::builder()
        .state(Gate(Mutex::new((enter, opened))))
        .on_failure(move |failure| hook.lock().unwrap().push(failure.kind()));
    Fixture {
        bus: change(builder).build().unwrap(),
        entered,
        open,
        told,
    }
}

fn plain() -> Fixture {
    fixture(|builder| builder.state(Witness))
}

fn left(shutdown: &Shutdown) -> Vec<(&'static str, usize, usize)> {
    let left = shutdown.left().iter();
    left.map(|left| {
        (
            left.listener().function(),
            left.waiting(),
            left.in_flight().len(),
        )
    })
    .collect()
}

fn until_closing(bus: &Bus) {
    while bus.emit(Line).report().failed() == 0 {
        thread::yield_now();
    }
}

#[test]
fn a_later_shutdown_ends_at_once_and_says_the_same() {
    let Fixture {
        bus,
        entered,
        told,
        open: _shut,
    } = plain();
    bus.emit(Printed);
    bus.emit(Printed);
    entered.recv().unwrap();
    let first = bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(left(&first), [("file", 1, 1)]);
    let second = bus.shutdown_blocking(FAR).unwrap();
    assert!(!second.is_clean());
    assert_eq!(second.to_string(), first.to_string());
    let third = futures::executor::block_on(bus.shutdown(FAR)).unwrap();
    assert_eq!(third.to_string(), first.to_string());
    // Told once.
    assert_eq!(*told.lock().unwrap(), [FailureKind::Abandoned; 2]);
    drop(bus.install().unwrap().drain_for(FAR));
}

#[test]
fn of_two_shutdowns_the_deadline_that_comes_first_ends_both() {
    let Fixture {
        bus,
        entered,
        told,
        open: _shut,
    } = plain();
    bus.emit(Printed);
    bus.emit(Printed);
    entered.recv().unwrap();
    let other = bus.clone();
    let parked = thread::spawn(move || other.shutdown_blocking(FAR).unwrap());
    let other = bus.shutdown(FAR);
    let awaited = thread::spawn(|| futures::executor::block_on(other).unwrap());
    until_closing(&bus);
    let first = bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(left(&first), [("file", 1, 1)]);
    for other in [parked, awaited] {
        assert_eq!(other.join().unwrap().to_string(), first.to_string());
    }
    let told = told.lock().unwrap();
    let abandoned = told.iter().filter(|kind| **kind == FailureKind::Abandoned);
    assert_eq!(abandoned.count(), 2);
}

#[test]
fn a_hook_that_is_told_what_was_given_up_may_shut_the_bus_down_again() {
    let again = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&again);
    let bus: Arc<Mutex<Option<Bus>>> = Arc::default();
    let known = Arc::clone(&bus);
    let fixture = fixture(|builder| {
        builder.state(Witness).on_failure(move |_| {
            let bus = known.lock().unwrap().clone().unwrap();
            let shutdown = bus.shutdown_blocking(FAR).unwrap();
            said.lock().unwrap().push(shutdown.to_string());
        })
    });
    *bus.lock().unwrap() = Some(fixture.bus.clone());
    fixture.bus.emit(Printed);
    fixture.entered.recv().unwrap();
    let shutdown = fixture.bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(*again.lock().unwrap(), [shutdown.to_string()]);
    drop((fixture, bus.lock().unwrap().take()));
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
}

fn with_witness(handle: Option<Handle>) -> (Fixture, Weak<Witness>) {
    let witness = Arc::new(Witness);
    let weak = Arc::downgrade(&witness);
    let fixture = fixture(|builder| {
        let builder = builder.state(witness);
        match handle {
            Some(handle) => builder.runtime(handle),
            None => builder,
        }
    });
    (fixture, weak)
}

fn until_gone(witness: &Weak<Witness>) {
    while witness.strong_count() > 0 {
        thread::yield_now();
    }
}

#[test]
fn async_deliveries_that_are_given_up_are_dropped_by_their_tasks() {
    let runtime = runtime();
    let (fixture, witness) = with_witness(Some(runtime.handle().clone()));
    let bus = fixture.bus;
    bus.emit(Stuck);
    bus.emit(Stuck);
    let awaiting = runtime.spawn({
        let bus = bus.clone();
        async move { bus.emit(Stuck).await }
    });
    while runtime.metrics().num_alive_tasks() < 8 {
        thread::yield_now();
    }
    let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(
        left(&shutdown)
            .iter()
            .map(|(_, waiting, running)| waiting + running)
            .sum::<usize>(),
        9
    );
    let report = runtime.block_on(awaiting).unwrap();
    assert_eq!((report.ran(), report.queued(), report.failed()), (0, 1, 2));
    drop(bus);
    until_gone(&witness);
    while runtime.metrics().num_alive_tasks() > 0 {
        thread::yield_now();
    }
    assert_eq!(*fixture.told.lock().unwrap(), [FailureKind::Abandoned; 9]);
}

#[test]
fn async_deliveries_that_are_given_up_are_dropped_by_who_awaits_them() {
    let (fixture, witness) = with_witness(None);
    let bus = fixture.bus;
    let other = bus.clone();
    let report = futures::executor::block_on(async {
        let mut emission = bus.emit(Stuck).into_future();
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut emission).poll(cx)));
        assert!(first.await.is_pending());
        // Nobody else wakes it.
        let shutdown = thread::spawn(move || other.shutdown_blocking(Duration::ZERO).unwrap());
        let report = emission.await;
        assert_eq!(shutdown.join().unwrap().left().len(), 2);
        report
    });
    // The queue has no workers without a runtime.
    assert_eq!((report.ran(), report.failed()), (0, 3));
    assert_eq!(report.failures()[2].kind(), FailureKind::Abandoned);
    drop(bus);
    until_gone(&witness);
}

#[test]
fn a_test_that_has_shut_its_bus_down_may_settle() {
    let witness = Arc::new(Witness);
    let weak = Arc::downgrade(&witness);
    let bus = TestBus::builder()
        .state(witness)
        .on_failure(|_| ())
        .without((file, reads))
        .build();
    bus.emit(Stuck);
    let shutdown = bus.shutdown_blocking(Duration::from_secs(5)).unwrap();
    assert_eq!(shutdown.left().len(), 3);
    bus.settle_blocking();
    drop(bus);
    until_gone(&weak);
}

#[test]
fn what_an_inline_listener_returns_after_the_end_is_told_as_closed() {
    let Fixture {
        bus,
        entered,
        open,
        told,
    } = plain();
    let other = bus.clone();
    let emitter = thread::spawn(move || other.emit(Read).report());
    entered.recv().unwrap();
    // It is part of an emission on another thread, which the bus does not wait for.
    assert!(bus.shutdown_blocking(FAR).unwrap().is_clean());
    open.send(()).unwrap();
    let report = emitter.join().unwrap();
    // The returned event has a report of its own.
    assert_eq!((report.ran(), report.failed()), (1, 0));
    assert_eq!(*told.lock().unwrap(), [FailureKind::Closed]);
}

#[test]
fn a_thread_of_spawn_blocking_may_wait_for_room_and_for_the_end() {
    let runtime = runtime();
    let (fixture, _witness) = with_witness(Some(runtime.handle().clone()));
    let Fixture {
        bus, open, told, ..
    } = fixture;
    let blocking = runtime.spawn_blocking(move || {
        let handle = Handle::current();
        let opener = thread::spawn(move || drop(open));
        // More than the queue and its worker hold.
        let accepted = (0..16).map(|_| handle.block_on(async { bus.emit(Printed).await }));
        let accepted: usize = accepted.map(|report| report.queued()).sum();
        opener.join().unwrap();
        assert!(bus.shutdown_blocking(FAR).is_err());
        (accepted, handle.block_on(bus.shutdown(FAR)).unwrap())
    });
    let (accepted, shutdown) = runtime.block_on(blocking).unwrap();
    assert_eq!((accepted, shutdown.is_clean()), (16, true));
    assert_eq!(*told.lock().unwrap(), []);
}
