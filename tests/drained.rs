//! Waiting until what was accepted is delivered.
#![cfg(feature = "runtime")]

mod support;

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::executor::block_on;
use support::Recorder;
use tidings::{Bus, Runtime, VirtualRuntime, event, listener};

#[event]
struct Paid(u32);

#[event]
struct Shipped;

#[event]
struct Typed;

#[event("log.line")]
struct Line;

/// Each delivery waits for one word.
type Gate = Mutex<Receiver<()>>;

#[listener(queue = 16)]
fn book(e: &Paid, gate: &Gate, log: &Recorder) {
    gate.lock().unwrap().recv().unwrap();
    log.note(format!("booked {}", e.0));
}

#[listener(queue = 16)]
fn load(_: &Shipped, log: &Recorder) {
    log.note("loaded");
}

#[event]
struct Packed(u32);

/// Told when a delivery begins.
type Begun = Mutex<Sender<()>>;

#[listener(queue = 1)]
fn pack(e: &Packed, begun: &Begun, gate: &Gate, log: &Recorder) {
    begun.lock().unwrap().send(()).unwrap();
    gate.lock().unwrap().recv().unwrap();
    log.note(format!("packed {}", e.0));
}

#[listener("log.*", queue = 16)]
fn write(_: &tidings::AnyEvent<'_>, log: &Recorder) {
    log.note("written");
}

#[listener]
async fn search(_: &Typed, time: &VirtualRuntime, log: &Recorder) {
    time.sleep_until(time.now() + Duration::from_secs(5)).await;
    log.note("found");
}

#[listener(debounce = "1h")]
fn index(_: &Typed, log: &Recorder) {
    log.note("indexed");
}

#[event]
struct Ask;

#[listener]
async fn waits_for_itself(_: &Ask, cx: tidings::Context<'_>, log: &Recorder) {
    let drained = cx.bus().drained().await;
    log.note(format!("{}", drained.unwrap_err()));
}

fn on_threads() -> (Bus, Sender<()>, Arc<Recorder>) {
    let (go, gate) = channel();
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder()
        .only((book, load, write))
        .state(Gate::new(gate))
        .state(Arc::clone(&log))
        .build()
        .unwrap();
    (bus, go, log)
}

fn now<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn aq2_a_bus_is_drained_when_every_delivery_has_ended_and_stays_open() {
    let (bus, go, log) = on_threads();
    for round in 0..3 {
        for number in 0..4 {
            bus.emit(Paid(number));
        }
        bus.emit(Shipped);
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        block_on(bus.drained()).unwrap();
        assert_eq!(log.take().len(), 5, "round {round}");
    }
    assert_eq!(now(bus.drained()), Poll::Ready(Ok(())));
}

#[test]
fn aq2_the_queues_of_one_event_are_waited_for_whatever_the_others_do() {
    let (bus, go, log) = on_threads();
    bus.emit(Paid(1));
    bus.emit(Shipped);
    bus.emit(Line);
    block_on(bus.drained_of::<Shipped>()).unwrap();
    block_on(bus.drained_of::<Line>()).unwrap();
    let mut done = log.take();
    done.sort_unstable();
    assert_eq!(done, ["loaded", "written"]);
    let (mut all, mut paid) = (bus.drained(), bus.drained_of::<Paid>());
    assert!(now(&mut all).is_pending() && now(&mut paid).is_pending());
    go.send(()).unwrap();
    block_on(paid).unwrap();
    block_on(all).unwrap();
    assert_eq!(log.take(), ["booked 1"]);
}

#[test]
fn aq2_who_waits_for_one_queue_is_woken_while_another_is_busy() {
    let (bus, go, log) = on_threads();
    bus.emit(Paid(1));
    for _ in 0..100 {
        bus.emit(Shipped);
        block_on(bus.drained_of::<Shipped>()).unwrap();
        assert_eq!(log.take(), ["loaded"]);
    }
    go.send(()).unwrap();
    block_on(bus.drained()).unwrap();
}

#[test]
fn aq2_async_deliveries_and_held_events_are_waited_for_in_virtual_time() {
    let (time, log) = (VirtualRuntime::new(), Arc::new(Recorder::default()));
    let bus = Bus::builder()
        .only((search, index))
        .state(time.clone())
        .state(Arc::clone(&log))
        .runtime(time.clone())
        .build()
        .unwrap();
    bus.emit(Typed);
    block_on(bus.drained()).unwrap();
    assert_eq!(log.take(), ["found", "indexed"]);
    assert_eq!(time.elapsed(), Duration::from_secs(3600));
}

#[test]
fn aq2_a_delivery_that_would_wait_for_itself_is_told() {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder()
        .only(waits_for_itself)
        .state(Arc::clone(&log))
        .build()
        .unwrap();
    block_on(async { bus.emit(Ask).await });
    assert!(log.take()[0].starts_with("the bus would wait for the one who waits for it"));
}

#[test]
fn aq2_a_bus_that_is_shut_down_is_drained_of_what_it_gave_up() {
    let (bus, _go, _) = on_threads();
    bus.emit(Paid(1));
    let mut paid = bus.drained_of::<Paid>();
    assert!(now(&mut paid).is_pending());
    let shutdown = bus.shutdown_blocking(Duration::from_millis(1)).unwrap();
    assert!(!shutdown.is_clean());
    block_on(paid).unwrap();
    block_on(bus.drained()).unwrap();
}

/// Tells no one, but who holds it.
struct Held;

impl Wake for Held {
    fn wake(self: Arc<Self>) {}
}

fn poll<F: Future + Unpin>(future: &mut F, held: &Arc<Held>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(held));
    pin!(future).poll(&mut Context::from_waker(&waker))
}

#[test]
fn aq2_a_wait_that_is_given_up_leaves_nothing_in_the_bus() {
    let (bus, go, _) = on_threads();
    bus.emit(Paid(1));
    let held = Arc::new(Held);
    for _ in 0..3 {
        let (mut all, mut paid) = (bus.drained(), bus.drained_of::<Paid>());
        assert!(poll(&mut all, &held).is_pending() && poll(&mut paid, &held).is_pending());
        drop(all);
        assert_eq!(Arc::strong_count(&held), 2, "the other one waits still");
        drop(paid);
        assert_eq!(Arc::strong_count(&held), 1);
    }
    let mut stays = bus.drained();
    assert!(poll(&mut stays, &held).is_pending());
    drop(bus.drained());
    go.send(()).unwrap();
    block_on(&mut stays).unwrap();
    assert_eq!(Arc::strong_count(&held), 1, "who waits last is told");
}

#[test]
fn aq2_a_wait_that_another_task_goes_on_with_tells_that_one_alone() {
    let (bus, go, _) = on_threads();
    bus.emit(Paid(1));
    let [first, second] = [Arc::new(Held), Arc::new(Held)];
    let mut all = bus.drained();
    assert!(poll(&mut all, &first).is_pending() && poll(&mut all, &second).is_pending());
    assert_eq!(
        (Arc::strong_count(&first), Arc::strong_count(&second)),
        (1, 2)
    );
    go.send(()).unwrap();
    block_on(all).unwrap();
}

#[test]
fn aq1_an_emission_that_gives_up_waiting_for_room_hands_its_place_on() {
    let ((go, gate), (tell, begun)) = (channel(), channel());
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder()
        .only(pack)
        .state(Gate::new(gate))
        .state(Begun::new(tell))
        .state(Arc::clone(&log))
        .build()
        .unwrap();
    bus.emit(Packed(1));
    begun.recv().unwrap();
    bus.emit(Packed(2));
    let [mut third, mut fourth] =
        [3, 4].map(|number| Box::pin(bus.emit(Packed(number)).into_future()));
    assert!(now(third.as_mut()).is_pending() && now(fourth.as_mut()).is_pending());
    drop(third);
    for _ in 0..3 {
        go.send(()).unwrap();
    }
    assert_eq!(block_on(fourth).queued(), 1);
    block_on(bus.drained_of::<Packed>()).unwrap();
    assert_eq!(log.take(), ["packed 1", "packed 2", "packed 4"]);
}
