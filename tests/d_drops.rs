//! D3, D4: what is the user's may panic or emit when it is dropped, wherever that happens.

use std::sync::{Arc, Mutex};

use tidings::{Bus, Context, FailureKind, emit, event, listener};

type Log = Mutex<Vec<String>>;

/// Notes what is heard, and how deep.
fn note(log: &Log, what: &str, cx: Context<'_>) {
    log.lock()
        .expect("no listener panics with the log")
        .push(format!("{what} {}", cx.depth()));
}

fn bus() -> (Bus, Arc<Log>) {
    let log = Arc::new(Log::default());
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .on_failure(|_| {})
        .build()
        .expect("everything is given");
    (bus, log)
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().expect("no listener panics with the log"))
}

#[event]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb goes off");
    }
}

#[event]
struct Placed;

#[listener]
fn returns_a_bomb_that_is_not_emitted(_: &Placed) -> (Result<(), String>, Option<Bomb>) {
    (Err("no".into()), Some(Bomb))
}

#[listener]
fn placed(_: &Placed, log: &Log, cx: Context<'_>) {
    note(log, "placed", cx);
}

#[test]
fn d3_a_returned_event_that_panics_on_its_way_out_ends_nothing() {
    let (bus, log) = bus();

    for _ in 0..200 {
        let report = bus.emit(Placed).report();

        assert_eq!((report.ran(), report.failed()), (1, 1));
        assert_eq!(report.failures()[0].kind(), FailureKind::Error);
    }

    assert!(taken(&log).iter().all(|line| line == "placed 1"));
}

#[event]
struct AsyncPlaced;

#[listener]
async fn returns_a_bomb_later(_: &AsyncPlaced) -> (Result<(), String>, Option<Bomb>) {
    (Err("no".into()), Some(Bomb))
}

#[test]
fn d3_the_same_of_an_async_listener_is_told_once() {
    let (bus, _log) = bus();

    let report = futures::executor::block_on(async { bus.emit(AsyncPlaced).await });

    assert_eq!((report.ran(), report.failed()), (0, 1));
    assert_eq!(report.failures()[0].kind(), FailureKind::Error);
}

#[event]
struct Started;

#[event]
struct First;

#[event]
struct Second;

/// An error whose `Drop` panics.
#[derive(Debug)]
struct Nasty;

impl std::fmt::Display for Nasty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nasty")
    }
}

impl std::error::Error for Nasty {}

impl Drop for Nasty {
    fn drop(&mut self) {
        panic!("nasty to the end");
    }
}

#[listener]
fn start(_: &Started) -> (First, Second) {
    (First, Second)
}

#[listener]
fn first(_: &First) -> Result<(), Nasty> {
    Err(Nasty)
}

#[listener]
fn second(_: &Second, log: &Log, cx: Context<'_>) {
    note(log, "second", cx);
}

#[test]
fn d4_an_error_that_panics_on_its_way_out_loses_no_returned_event() {
    let (bus, log) = bus();

    assert_eq!(bus.emit(Started).report().ran(), 1);

    assert_eq!(taken(&log), ["second 2"]);
}

#[event]
struct Endless(u32);

impl Drop for Endless {
    fn drop(&mut self) {
        if self.0 < 1000 {
            emit(Endless(self.0 + 1));
        }
    }
}

#[listener]
fn endless(_: &Endless, log: &Log, cx: Context<'_>) {
    note(log, "endless", cx);
}

#[test]
fn d4_an_event_that_emits_when_it_is_dropped_ends_at_the_depth_limit() {
    let (bus, log) = bus();

    let report = bus.emit(Endless(0)).report();

    assert_eq!(report.ran(), 1);
    let heard = taken(&log);
    assert_eq!(heard.len(), 64);
    assert_eq!(heard[63], "endless 64");
}
