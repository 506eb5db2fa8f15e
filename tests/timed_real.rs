//! Timed listeners on the real clock and on tokio's. Nothing here asserts that something is fast.
#![cfg(feature = "tokio")]

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tidings::{Bus, BusBuilder, ListenerInfo, event, listener};
use tokio::runtime::Handle;

const LONG: Duration = Duration::from_secs(60);

struct Out(Mutex<Sender<(Instant, u32)>>);

impl Out {
    fn send(&self, what: u32) {
        // A test that has seen enough has gone.
        let _ = self.0.lock().unwrap().send((Instant::now(), what));
    }
}

fn builder() -> (BusBuilder, Receiver<(Instant, u32)>) {
    let (sender, receiver) = channel();
    let builder = Bus::builder().state(Out(Mutex::new(sender)));
    (builder, receiver)
}

#[event]
struct Typed(u32);

#[listener(every = "20ms")]
fn tick(out: &Out) {
    out.send(0);
}

#[listener(every = "20ms")]
async fn tick_async(out: &Out) {
    out.send(0);
}

#[listener(debounce = "20ms")]
fn search(e: &Typed, out: &Out) {
    out.send(e.0);
}

#[listener(throttle = "20ms")]
fn render(e: &Typed, out: &Out) {
    out.send(e.0);
}

fn three_ticks(bus: &Bus, from: Instant, ticks: &Receiver<(Instant, u32)>) {
    for number in 1..=3 {
        let (at, _) = ticks.recv_timeout(LONG).expect("it ticks");
        assert!(at >= from + Duration::from_millis(20) * number, "early");
    }
    assert!(bus.shutdown_blocking(LONG).unwrap().is_clean());
    // What had begun has ended, and nothing begins.
    while ticks.try_recv().is_ok() {}
    assert_eq!(bus.queues()[0].1.in_flight, 0);
}

#[test]
fn a_bus_without_a_runtime_ticks_on_a_thread() {
    let (builder, ticks) = builder();
    let from = Instant::now();
    let bus = builder.only(tick).build().unwrap();

    three_ticks(&bus, from, &ticks);
}

#[test]
fn a_bus_on_tokio_ticks_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(1).enable_time().build().unwrap();
    let from = Instant::now();
    let (builder, ticks) = builder();
    let with = builder.only(tick_async).runtime(runtime.handle().clone());
    three_ticks(&with.build().unwrap(), from, &ticks);

    let from = Instant::now();
    let (builder, ticks) = self::builder();
    let with = builder.only(tick).runtime(runtime.handle().clone());
    three_ticks(&with.build().unwrap(), from, &ticks);
}

#[test]
fn the_last_event_comes_when_it_is_quiet() {
    let (builder, seen) = builder();
    let bus = builder.only(search).build().unwrap();
    let mut emitted = Instant::now();
    for letter in 1..=100 {
        emitted = Instant::now();
        bus.emit(Typed(letter));
    }

    // A machine that is slow may have been quiet in between.
    let (at, _) = std::iter::from_fn(|| seen.recv_timeout(LONG).ok())
        .find(|(_, letter)| *letter == 100)
        .expect("the last one is not lost");
    assert!(at >= emitted + Duration::from_millis(20), "early");
    let figures = bus.queues()[0].1;
    assert_eq!(
        figures.delivered + figures.replaced + figures.in_flight as u64,
        100
    );
}

#[test]
fn deliveries_are_a_period_apart_and_the_last_event_is_not_lost() {
    let (builder, seen) = builder();
    let bus = builder.only(render).build().unwrap();
    for letter in 1..=1000 {
        bus.emit(Typed(letter));
        if letter % 100 == 0 {
            std::thread::yield_now();
        }
    }
    assert_eq!(seen.recv_timeout(LONG).expect("at once").1, 1);

    assert!(bus.shutdown_blocking(LONG).unwrap().is_clean());
    let last = seen.try_iter().last().map_or(1, |(_, letter)| letter);

    assert_eq!(last, 1000);
    let figures = bus.queues()[0].1;
    assert_eq!(figures.delivered + figures.replaced, 1000);
}

#[test]
fn emissions_of_many_threads_are_all_accounted_for() {
    let (builder, seen) = builder();
    let bus = builder.only((search, render)).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|letter| drop(bus.emit(Typed(letter)))));
        }
    });
    assert!(bus.shutdown_blocking(LONG).unwrap().is_clean());

    for (listener, figures) in bus.queues() {
        assert_eq!(
            figures.delivered + figures.replaced,
            2000,
            "{}",
            listener.id()
        );
        assert_eq!((figures.depth, figures.in_flight), (0, 0));
    }
    let delivered: u64 = bus
        .queues()
        .iter()
        .map(|(_, figures)| figures.delivered)
        .sum();
    assert_eq!(seen.try_iter().count() as u64, delivered);
}

#[listener(every = "1h")]
async fn hourly(out: &Out) {
    out.send(0);
}

#[listener(debounce = "1h")]
async fn quiet(e: &Typed, out: &Out) {
    out.send(e.0);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_of_tokio_is_followed() {
    let (builder, seen) = builder();
    let builder = builder.only((hourly, quiet)).runtime(Handle::current());
    let bus = builder.build().unwrap();
    let start = tokio::time::Instant::now();
    bus.emit(Typed(7));
    tokio::time::sleep(Duration::from_secs(5 * 3600 + 1)).await;

    let what: Vec<_> = seen.try_iter().map(|(_, what)| what).collect();
    assert_eq!(what.len(), 6);
    assert_eq!(what.iter().filter(|what| **what == 7).count(), 1);

    bus.emit(Typed(8));
    assert!(bus.shutdown(LONG).await.unwrap().is_clean());
    assert_eq!(
        seen.try_iter().map(|(_, what)| what).collect::<Vec<_>>(),
        [8]
    );
    assert_eq!(start.elapsed().as_secs(), 5 * 3600 + 1);
}

#[test]
fn a_tokio_that_ends_first_ends_the_ticks_and_leaves_no_event_untold() {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(1).enable_time().build().unwrap();
    let (told, failures) = channel();
    let told = Mutex::new(told);
    let (builder, _seen) = builder();
    let bus = builder
        .only((hourly, quiet))
        .runtime(runtime.handle().clone())
        .on_failure(move |failure| {
            let by = failure.listener().map(ListenerInfo::function);
            told.lock().unwrap().send((by, failure.kind())).unwrap();
        })
        .build()
        .unwrap();
    bus.emit(Typed(1));
    runtime.shutdown_timeout(LONG);
    bus.emit(Typed(2));
    drop(bus.shutdown_blocking(LONG).unwrap());

    let mut failures: Vec<_> = failures.try_iter().collect();
    failures.sort_by_key(|(by, _)| *by);
    let kind = tidings::FailureKind::Abandoned;
    let expected = ["hourly", "quiet", "quiet"].map(|by| (Some(by), kind));
    assert_eq!(failures, expected);
}
