//! D6 with a runtime: async deliveries are handed over, whatever the runtime does with them.

mod support;

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::executor::block_on;
use support::Recorder;
use tidings::{
    Bus, Context, Failure, FailureKind, ListenerInfo, Runtime, Task, emit, event, listener,
};

#[event]
struct Placed;

#[listener]
async fn confirm(_: &Placed, log: &Recorder, cx: Context<'_>) -> Confirmed {
    log.note(format!("confirm at depth {}", cx.depth()));
    Confirmed
}

#[listener]
fn book(_: &Placed, log: &Recorder) {
    log.note("book");
}

#[event]
struct Confirmed;

#[listener]
async fn archive(_: &Confirmed, log: &Recorder) {
    log.note("archive");
}

#[event]
struct Relayed;

#[listener]
fn relay(_: &Relayed) -> Confirmed {
    Confirmed
}

#[event]
struct Counted(u32);

/// Emits on and on; every delivery that is handed over begins a chain of its own.
#[listener]
async fn count(e: &Counted, log: &Recorder) {
    if e.0 < 200 {
        emit(Counted(e.0 + 1));
    } else {
        log.note("counted to 200");
    }
}

/// Comes back to itself on a runtime that polls at once, on the emitting stack.
#[event]
struct Outer {
    again: bool,
}

#[listener]
async fn outer(e: &Outer, log: &Recorder) {
    if e.again {
        emit(Inner);
    } else {
        emit(Leaf);
    }
    log.note(format!("outer {}", e.again));
}

#[event]
struct Inner;

#[listener]
fn inner_first(_: &Inner) -> Result<(), String> {
    emit(Outer { again: false });
    Err("the first failed".to_owned())
}

#[listener]
fn inner_second(_: &Inner, log: &Recorder, cx: Context<'_>) {
    let cause = cx.cause().map(|cause| cause.topic());
    log.note(format!("inner second because of {cause:?}"));
}

#[event]
struct Leaf;

#[listener]
fn leaf_one(_: &Leaf) {}

#[listener]
fn leaf_two(_: &Leaf, log: &Recorder) {
    log.note("leaf");
}

/// Keeps tasks until a test does something with them.
#[derive(Default, Clone)]
struct Shelf(Arc<Mutex<Vec<Task>>>);

impl Runtime for Shelf {
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push(task);
    }
}

impl Shelf {
    fn take(&self) -> Vec<Task> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn run_all(&self) {
        loop {
            let tasks = self.take();
            if tasks.is_empty() {
                return;
            }
            tasks.into_iter().for_each(block_on);
        }
    }
}

/// Polls every task to its end at once.
struct AtOnce;

impl Runtime for AtOnce {
    fn spawn(&self, task: Task) {
        // `block_on` refuses to stand inside of itself.
        task.now_or_never().expect("the listeners here never wait");
    }
}

struct Dropping;

impl Runtime for Dropping {
    fn spawn(&self, task: Task) {
        drop(task);
    }
}

struct Panicking;

impl Runtime for Panicking {
    fn spawn(&self, _: Task) {
        panic!("shut down");
    }
}

struct Fixture {
    bus: Bus,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<(FailureKind, String)>>>,
}

fn fixture(runtime: impl Runtime) -> Fixture {
    let log = Arc::new(Recorder::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let tell = move |failure: &Failure| {
        hook.lock()
            .unwrap()
            .push((failure.kind(), failure.message().to_owned()));
    };
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .runtime(runtime)
        .on_failure(tell)
        .build()
        .unwrap();
    Fixture { bus, log, told }
}

fn abandoned() -> Vec<(FailureKind, String)> {
    vec![(
        FailureKind::Abandoned,
        "the runtime dropped the listener's future before it finished".to_owned(),
    )]
}

#[test]
fn d6_a_dropped_emission_is_spawned() {
    let shelf = Shelf::default();
    let Fixture { bus, log, told } = fixture(shelf.clone());

    let emission = bus.emit(Placed);
    assert!(
        shelf.0.lock().unwrap().is_empty(),
        "nothing is spawned before the emission is polled or dropped"
    );
    drop(emission);

    assert_eq!(shelf.0.lock().unwrap().len(), 1);
    shelf.run_all();
    assert_eq!(log.take(), ["book", "confirm at depth 1", "archive"]);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn d6_an_emission_whose_future_is_dropped_before_its_first_poll_is_spawned() {
    let shelf = Shelf::default();
    let Fixture { bus, log, .. } = fixture(shelf.clone());

    drop(bus.emit(Placed).into_future());

    shelf.run_all();
    assert_eq!(log.take(), ["book", "confirm at depth 1", "archive"]);
}

#[test]
fn r1_a_delivery_that_a_runtime_accepted_is_counted_as_queued() {
    let shelf = Shelf::default();
    let Fixture { bus, .. } = fixture(shelf.clone());

    let report = bus.emit(Placed).report();

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 1 queued");
    assert!(report.heard());
}

#[test]
fn d6_an_awaited_emission_waits_for_its_own_deliveries_and_returned_events_go_on_alone() {
    let shelf = Shelf::default();
    let Fixture { bus, log, .. } = fixture(shelf.clone());

    let mut emission = bus.emit(Placed).into_future();
    assert!((&mut emission).now_or_never().is_none());
    for task in shelf.take() {
        block_on(task);
    }
    let report = block_on(emission);

    assert_eq!(report.to_string(), "2 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(log.take(), ["book", "confirm at depth 1"]);
    shelf.run_all();
    assert_eq!(log.take(), ["archive"]);
}

#[test]
fn d6_an_awaited_emission_does_not_wait_for_the_deliveries_of_returned_events() {
    let shelf = Shelf::default();
    let Fixture { bus, log, .. } = fixture(shelf.clone());

    let report = block_on(async { bus.emit(Relayed).await });

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 0 queued");
    assert!(log.take().is_empty());
    shelf.run_all();
    assert_eq!(log.take(), ["archive"]);
}

#[test]
fn d6_dropping_an_emission_after_its_first_poll_changes_nothing() {
    let shelf = Shelf::default();
    let Fixture { bus, log, told } = fixture(shelf.clone());

    let mut emission = bus.emit(Placed).into_future();
    assert!((&mut emission).now_or_never().is_none());
    drop(emission);

    shelf.run_all();
    assert_eq!(log.take(), ["book", "confirm at depth 1", "archive"]);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn d6_a_future_that_the_runtime_drops_is_reported_as_abandoned() {
    let shelf = Shelf::default();
    let Fixture { bus, told, .. } = fixture(shelf.clone());
    let mut emission = bus.emit(Placed).into_future();
    assert!((&mut emission).now_or_never().is_none());

    drop(shelf.take());

    assert_eq!(*told.lock().unwrap(), abandoned());
    let report = block_on(emission);
    assert_eq!((report.ran(), report.failed()), (1, 1));
    assert_eq!(report.failures()[0].kind(), FailureKind::Abandoned);
    assert_eq!(
        report.failures()[0].listener().map(ListenerInfo::function),
        Some("confirm")
    );
}

#[test]
fn d6_a_runtime_that_drops_what_it_is_given_is_reported() {
    let Fixture { bus, told, .. } = fixture(Dropping);

    let report = block_on(async { bus.emit(Placed).await });

    assert_eq!((report.ran(), report.failed()), (1, 1));
    assert_eq!(report.failures()[0].kind(), FailureKind::Abandoned);
    assert_eq!(*told.lock().unwrap(), abandoned());
}

#[test]
fn d6_a_runtime_that_panics_in_spawn_is_reported_and_the_emission_goes_on() {
    let Fixture { bus, log, told } = fixture(Panicking);

    bus.emit(Placed);
    let report = block_on(async { bus.emit(Placed).await });

    assert_eq!((report.ran(), report.failed()), (1, 1));
    assert_eq!(*told.lock().unwrap(), [abandoned(), abandoned()].concat());
    assert_eq!(log.take(), ["book", "book"]);
}

#[test]
fn d6_a_delivery_that_is_handed_over_begins_a_chain_of_its_own() {
    let shelf = Shelf::default();
    let Fixture { bus, log, told } = fixture(shelf.clone());

    bus.emit(Counted(0));
    shelf.run_all();

    assert_eq!(log.take(), ["counted to 200"]);
    assert!(told.lock().unwrap().is_empty());
}

/// The chain that is resumed inside another emission must leave that one's place as it was.
#[test]
fn d6_a_runtime_may_poll_at_once_inside_of_the_listeners_that_emit() {
    let Fixture { bus, log, told } = fixture(AtOnce);

    bus.emit(Outer { again: true });

    assert_eq!(
        log.take(),
        [
            "leaf",
            "outer false",
            "inner second because of Some(\"outer\")",
            "outer true"
        ]
    );
    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::Error, "the first failed".to_owned())]
    );
}
