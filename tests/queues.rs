//! Listeners behind queues of their own.
#![cfg(feature = "runtime")]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use support::Recorder;
use tidings::{
    Bus, BusBuilder, Context, Emission, Failure, FailureKind, Mode, QueueStats, Report, emit,
    event, listener,
};

const SOON: Duration = Duration::from_secs(60);

/// Lets through as many as were let in before.
struct Gate(Mutex<Receiver<()>>);

impl Gate {
    fn pass(&self) {
        self.0.lock().unwrap().recv().unwrap();
    }
}

#[event]
struct Placed {
    customer: String,
    number: u32,
}

#[listener(queue = 4096)]
fn book(e: &Placed, log: &Recorder) {
    log.note(format!("{} of {}", e.number, e.customer));
}

#[event]
struct Ordered {
    customer: String,
    number: u32,
}

#[listener(queue = 4096, workers = 4, key = |e| e.customer)]
fn per_customer(e: &Ordered, log: &Recorder) {
    log.note(format!("{}:{}", e.customer, e.number));
}

#[event]
struct Rejected(u32);

#[listener(queue = 2, overflow = "reject")]
fn rejects(e: &Rejected, gate: &Gate, log: &Recorder) {
    gate.pass();
    log.note(format!("{}", e.0));
}

#[event]
struct Oldest(u32);

#[listener(queue = 2, overflow = "drop_oldest")]
fn drops_oldest(e: &Oldest, gate: &Gate, log: &Recorder) {
    gate.pass();
    log.note(format!("{}", e.0));
}

#[event]
struct Newest(u32);

#[listener(queue = 2, overflow = "drop_newest")]
fn drops_newest(e: &Newest, gate: &Gate, log: &Recorder) {
    gate.pass();
    log.note(format!("{}", e.0));
}

/// How many deliveries began.
#[derive(Default)]
struct Began(AtomicU32);

impl Began {
    fn until_one(&self) {
        while self.0.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    }
}

#[event]
struct Blocking(u32);

#[listener(queue = 2)]
fn blocks(e: &Blocking, gate: &Gate, log: &Recorder, began: &Began) {
    began.0.fetch_add(1, Ordering::SeqCst);
    gate.pass();
    log.note(format!("{}", e.0));
}

#[event]
struct Unreliable(u32);

#[derive(Debug)]
struct Later(u32);

impl std::fmt::Display for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "later, says {}", self.0)
    }
}

impl std::error::Error for Later {}

#[listener(queue = 16, retry = 3, backoff = "1ms..5ms", retry_if = |error| error.is::<Later>())]
fn tries(
    e: &Unreliable,
    tries: &AtomicU32,
) -> Result<Recovered, Box<dyn std::error::Error + Send + Sync>> {
    let before = tries.fetch_add(1, Ordering::SeqCst);
    match e.0 {
        0 => Err("for good".into()),
        times if before < times => Err(Later(before).into()),
        _ => Ok(Recovered(before)),
    }
}

#[event]
struct Recovered(u32);

#[listener]
fn recovered(e: &Recovered, log: &Recorder) {
    log.note(format!("recovered after {}", e.0));
}

#[event]
struct Greedy(u32);

/// Fills its own queue.
#[listener(queue = 1)]
fn greedy(e: &Greedy, log: &Recorder, cx: Context<'_>) {
    if e.0 == 0 {
        let reports: Vec<Report> = (1..=3).map(|n| cx.emit(Greedy(n)).report()).collect();
        let queued: Vec<usize> = reports.iter().map(Report::queued).collect();
        log.note(format!("{queued:?}"));
    }
}

#[event]
struct Judged(u32);

#[listener(queue = 16, when = |e| match e.0 { 0 => false, 9 => panic!("no opinion"), _ => true })]
fn judges(e: &Judged) -> Result<(), String> {
    match e.0 {
        1 => panic!("on purpose"),
        2 => Err("a mistake".to_owned()),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<(FailureKind, String)>>);

impl Told {
    fn take(&self) -> Vec<(FailureKind, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn kinds(&self) -> Vec<FailureKind> {
        self.take().into_iter().map(|(kind, _)| kind).collect()
    }
}

struct Fixture {
    bus: Bus,
    open: Sender<()>,
    log: Arc<Recorder>,
    told: Arc<Told>,
    began: Arc<Began>,
}

fn fixture() -> Fixture {
    changed(|builder| builder)
}

fn changed(change: impl FnOnce(BusBuilder) -> BusBuilder) -> Fixture {
    let (open, gate) = channel();
    let (log, told) = (Arc::new(Recorder::default()), Arc::new(Told::default()));
    let (hook, began) = (Arc::clone(&told), Arc::new(Began::default()));
    let builder = Bus::builder()
        .state(Arc::clone(&log))
        .state(Arc::clone(&began))
        .state(Gate(Mutex::new(gate)))
        .state(AtomicU32::new(0))
        .on_failure(move |failure: &Failure| {
            let told = (failure.kind(), failure.message().to_owned());
            hook.0.lock().unwrap().push(told);
        });
    Fixture {
        bus: change(builder).build().unwrap(),
        open,
        log,
        told,
        began,
    }
}

fn stats(bus: &Bus, function: &str) -> QueueStats {
    let mut queues = bus.queues().into_iter();
    queues
        .find(|(listener, _)| listener.function() == function)
        .unwrap()
        .1
}

/// Waits until the worker holds one delivery, so that the queue is as empty as it gets.
fn until_one_runs(bus: &Bus, function: &str) {
    while stats(bus, function).in_flight == 0 {
        thread::yield_now();
    }
}

fn open(gate: &Sender<()>, times: usize) {
    for _ in 0..times {
        gate.send(()).unwrap();
    }
}

fn kind(report: &Report) -> Option<FailureKind> {
    report.failures().first().map(Failure::kind)
}

#[test]
fn a_queue_takes_deliveries_off_the_emitter_and_keeps_their_order() {
    let Fixture { bus, log, told, .. } = fixture();
    let mine = thread::current().id();
    let other = bus.on(move |_: &Placed| assert_eq!(thread::current().id(), mine));
    for number in 0..1000 {
        let report = bus
            .emit(Placed {
                customer: "Ada".to_owned(),
                number,
            })
            .report();
        assert_eq!((report.queued(), report.ran(), report.failed()), (1, 1, 0));
    }
    drop(other);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let expected: Vec<String> = (0..1000).map(|number| format!("{number} of Ada")).collect();
    assert_eq!(log.take(), expected);
    let stats = stats(&bus, "book");
    assert_eq!(
        (stats.delivered, stats.depth, stats.in_flight),
        (1000, 0, 0)
    );
    assert!(told.take().is_empty());
}

#[test]
fn deliveries_of_one_key_keep_their_order_among_several_workers() {
    let Fixture { bus, log, .. } = fixture();
    for number in 0..300 {
        for customer in ["Ada", "Ben", "Cleo"] {
            bus.emit(Ordered {
                customer: customer.to_owned(),
                number,
            });
        }
    }
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let mut seen: HashMap<String, u32> = HashMap::new();
    for line in log.take() {
        let (customer, number) = line.split_once(':').unwrap();
        let next = seen.entry(customer.to_owned()).or_default();
        assert_eq!(number.parse(), Ok(*next), "{customer}");
        *next += 1;
    }
    assert_eq!(seen.into_values().collect::<Vec<_>>(), [300, 300, 300]);
}

#[test]
fn a_full_queue_rejects_or_drops_as_its_attribute_says() {
    let Fixture {
        bus,
        open: gate,
        log,
        told,
        ..
    } = fixture();
    let fill = |emission: &dyn Fn(u32) -> Emission, function: &str| {
        let first = emission(1).report();
        until_one_runs(&bus, function);
        let mut reports = vec![first];
        reports.extend((2..=5).map(|number| emission(number).report()));
        reports
    };
    let queued = |reports: &[Report]| reports.iter().map(Report::queued).collect::<Vec<_>>();

    let reports = fill(&|n| bus.emit(Rejected(n)), "rejects");
    assert_eq!(queued(&reports), [1, 1, 1, 0, 0]);
    assert_eq!(kind(&reports[3]), Some(FailureKind::QueueFull));
    assert_eq!(
        reports[3].failures()[0].message(),
        "as many deliveries wait in the queue as may (2)"
    );
    open(&gate, 3);
    while stats(&bus, "rejects").delivered < 3 {
        thread::yield_now();
    }
    assert_eq!(log.take(), ["1", "2", "3"]);
    assert_eq!(stats(&bus, "rejects").rejected, 2);
    assert_eq!(told.kinds(), [FailureKind::QueueFull; 2]);

    let reports = fill(&|n| bus.emit(Oldest(n)), "drops_oldest");
    assert_eq!(queued(&reports), [1, 1, 1, 1, 1]);
    open(&gate, 3);
    while stats(&bus, "drops_oldest").delivered < 3 {
        thread::yield_now();
    }
    assert_eq!(log.take(), ["1", "4", "5"]);
    assert_eq!(stats(&bus, "drops_oldest").dropped, 2);

    let reports = fill(&|n| bus.emit(Newest(n)), "drops_newest");
    assert_eq!(queued(&reports), [1, 1, 1, 0, 0]);
    assert_eq!(reports[4].skipped(), 1);
    open(&gate, 3);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert_eq!(log.take(), ["1", "2", "3"]);
    assert_eq!(stats(&bus, "drops_newest").dropped, 2);
    assert!(told.take().is_empty());
}

#[test]
fn a_plain_thread_waits_for_room() {
    let Fixture {
        bus,
        open: gate,
        log,
        told,
        ..
    } = fixture();
    let emitter = thread::spawn({
        let bus = bus.clone();
        move || {
            let reports = (1..=6).map(|n| bus.emit(Blocking(n)).report());
            reports.map(|report| report.queued()).sum::<usize>()
        }
    });
    open(&gate, 6);
    assert_eq!(emitter.join().unwrap(), 6);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert_eq!(log.take(), ["1", "2", "3", "4", "5", "6"]);
    assert!(stats(&bus, "blocks").high_water <= 2);
    assert!(told.take().is_empty());
}

#[test]
fn an_awaited_emission_waits_for_room_without_parking() {
    let Fixture {
        bus,
        open: gate,
        log,
        ..
    } = fixture();
    bus.emit(Blocking(1));
    until_one_runs(&bus, "blocks");
    bus.emit(Blocking(2));
    bus.emit(Blocking(3));
    let mut fourth = Box::pin(IntoFuture::into_future(bus.emit(Blocking(4))));
    assert!(futures::FutureExt::now_or_never(&mut fourth).is_none());
    open(&gate, 4);
    assert_eq!(block_on(fourth).queued(), 1);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert_eq!(log.take(), ["1", "2", "3", "4"]);
}

#[test]
fn who_gives_up_waiting_for_room_is_counted_as_rejected() {
    let Fixture {
        bus, open: gate, ..
    } = fixture();
    bus.emit(Blocking(1));
    until_one_runs(&bus, "blocks");
    bus.emit(Blocking(2));
    bus.emit(Blocking(3));
    let mut fourth = Box::pin(IntoFuture::into_future(bus.emit(Blocking(4))));
    assert!(futures::FutureExt::now_or_never(&mut fourth).is_none());
    drop(fourth);
    open(&gate, 3);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let stats = stats(&bus, "blocks");
    assert_eq!((stats.delivered, stats.rejected), (3, 1));
}

#[test]
fn an_error_is_tried_again_if_it_is_worth_it() {
    let Fixture { bus, log, told, .. } = fixture();
    bus.emit(Unreliable(2));
    while stats(&bus, "tries").delivered == 0 {
        thread::yield_now();
    }
    assert_eq!(log.take(), ["recovered after 2"]);
    assert_eq!(stats(&bus, "tries").retried, 2);
    assert!(told.take().is_empty());

    // Three retries are not enough.
    bus.emit(Unreliable(100));
    // This one is not worth any.
    bus.emit(Unreliable(0));
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert_eq!(
        told.take(),
        [
            (FailureKind::Error, "later, says 6".to_owned()),
            (FailureKind::Error, "for good".to_owned())
        ]
    );
    let stats = stats(&bus, "tries");
    assert_eq!((stats.delivered, stats.failed, stats.retried), (1, 2, 5));
}

#[test]
fn a_listener_that_fills_its_own_queue_is_told_and_does_not_hang() {
    let Fixture { bus, log, told, .. } = fixture();
    bus.emit(Greedy(0));
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert_eq!(log.take(), ["[1, 0, 0]"]);
    assert_eq!(told.kinds(), [FailureKind::QueueFull; 2]);
    let stats = stats(&bus, "greedy");
    assert_eq!((stats.delivered, stats.rejected), (2, 2));
}

#[test]
fn conditions_panics_and_errors_are_told_as_elsewhere() {
    let Fixture { bus, told, .. } = fixture();
    let reports = [0, 1, 2, 3, 9].map(|n| bus.emit(Judged(n)).report());
    let counts = reports
        .each_ref()
        .map(|r| (r.skipped(), r.queued(), r.failed()));
    assert_eq!(
        counts,
        [(1, 0, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 0, 1)]
    );
    assert_eq!(kind(&reports[4]), Some(FailureKind::Condition));
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let mut told = told.take();
    told.sort_by_key(|(_, message)| message.clone());
    assert_eq!(
        told,
        [
            (FailureKind::Error, "a mistake".to_owned()),
            (FailureKind::Condition, "no opinion".to_owned()),
            (FailureKind::Panic, "on purpose".to_owned())
        ]
    );
    let stats = stats(&bus, "judges");
    assert_eq!((stats.delivered, stats.failed), (1, 2));
}

#[test]
fn what_is_left_at_the_deadline_is_listed_and_told() {
    let Fixture {
        bus,
        open: gate,
        told,
        began,
        ..
    } = fixture();
    bus.emit(Blocking(1));
    began.until_one();
    bus.emit(Blocking(2));
    let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();
    let left = &shutdown.left()[0];
    assert_eq!(left.listener().function(), "blocks");
    assert_eq!((left.waiting(), left.in_flight().len()), (1, 1));
    assert_eq!(shutdown.left().len(), 1);
    assert_eq!(told.kinds(), [FailureKind::Abandoned; 2]);
    let late = bus.emit(Blocking(3)).report();
    assert_eq!(kind(&late), Some(FailureKind::Closed));
    drop(gate);
}

#[test]
fn the_last_handle_closes_the_queues_and_the_rest_is_told() {
    let Fixture {
        bus,
        open: gate,
        log,
        told,
        began,
    } = fixture();
    bus.emit(Blocking(1));
    began.until_one();
    bus.emit(Blocking(2));
    bus.emit(Blocking(3));
    drop(bus);
    // What runs holds the bus until it has ended.
    open(&gate, 1);
    while told.0.lock().unwrap().len() < 2 {
        thread::yield_now();
    }
    assert_eq!(told.kinds(), [FailureKind::Abandoned; 2]);
    assert_eq!(log.take(), ["1"]);
}

#[test]
fn a_queue_can_be_tuned() {
    // The gate stays shut for as long as its other end lives.
    let Fixture {
        bus, open: _open, ..
    } = changed(|builder| builder.tune(rejects, |policy| policy.queue(1).workers(2)));
    bus.emit(Rejected(1));
    until_one_runs(&bus, "rejects");
    assert_eq!(bus.emit(Rejected(2)).report().queued(), 1);
    while stats(&bus, "rejects").in_flight < 2 {
        thread::yield_now();
    }
    assert_eq!(bus.emit(Rejected(3)).report().queued(), 1);
    assert_eq!(
        kind(&bus.emit(Rejected(4)).report()),
        Some(FailureKind::QueueFull)
    );
}

#[test]
fn the_default_bus_takes_nothing_that_it_could_lose() {
    // It needs no state for this event, but all its listeners need some.
    let report = emit(Judged(3)).report();
    assert_eq!(kind(&report), Some(FailureKind::NoBus));
}

#[test]
fn the_catalog_names_the_mode() {
    let listeners = tidings::catalog().listeners();
    let mode = |function: &str| {
        let found = listeners.iter().find(|l| l.function() == function);
        found.map(tidings::ListenerInfo::mode)
    };
    assert_eq!(mode("book"), Some(Mode::Queue));
    assert_eq!(mode("recovered"), Some(Mode::Inline));
}
