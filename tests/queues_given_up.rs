//! What workers have in their hands when the bus is shut down, or goes.
#![cfg(feature = "runtime")]

mod support;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::Recorder;
use tidings::{AnyEvent, Bus, BusBuilder, FailureKind, QueueStats, event, listener};

/// Says that somebody came, and lets him through when he may go on.
struct Gate {
    came: Mutex<Sender<()>>,
    opened: Mutex<Receiver<()>>,
}

impl Gate {
    fn pass(&self) {
        self.came.lock().unwrap().send(()).unwrap();
        self.opened.lock().unwrap().recv().unwrap();
    }
}

/// The test's side of a gate.
struct Keeper {
    came: Receiver<()>,
    open: Sender<()>,
}

impl Keeper {
    fn until_one_came(&self) {
        self.came.recv().unwrap();
    }

    fn open(&self) {
        self.open.send(()).unwrap();
    }
}

fn gate() -> (Arc<Gate>, Keeper) {
    let ((came, comes), (open, opened)) = (channel(), channel());
    let gate = Gate {
        came: Mutex::new(came),
        opened: Mutex::new(opened),
    };
    (Arc::new(gate), Keeper { came: comes, open })
}

/// Its worker has the next event in its hands when it drops this one.
#[event]
struct Held {
    number: u32,
    dropped: Option<Arc<Gate>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(gate) = &self.dropped {
            gate.pass();
        }
    }
}

#[listener(queue = 16)]
fn takes(e: &Held, gate: &Gate, log: &Recorder) {
    log.note(e.number.to_string());
    if e.number == 1 {
        gate.pass();
    }
}

#[event]
struct Placed(u32);

#[listener(queue = 16, batch = 3)]
fn index(orders: &[&Placed], gate: &Gate, log: &Recorder) {
    log.note(format!(
        "{:?}",
        orders.iter().map(|e| e.0).collect::<Vec<_>>()
    ));
    gate.pass();
}

#[event]
struct Unreliable;

#[listener(queue = 16, retry = 3, backoff = "1ms..2ms")]
fn fails(_: &Unreliable, gate: &Gate, log: &Recorder) -> Result<(), String> {
    log.note("tried");
    gate.pass();
    Err("not now".into())
}

#[event]
struct Hopeless;

#[listener(queue = 16, retry = 3, backoff = "1h..2h")]
fn waits(_: &Hopeless) -> Result<(), String> {
    Err("come back in an hour".into())
}

#[event]
struct Measured(u32);

#[listener(queue = 16, when = |e| e.0 > 1)]
async fn no_runtime(_: &Measured) {}

#[event("local.drawn")]
struct Drawn(std::cell::Cell<u32>);

#[listener("local.*", queue = 16)]
fn draws(e: &AnyEvent<'_>) {
    let _ = e.downcast_ref::<Drawn>().map(|drawn| drawn.0.get());
}

struct Fixture {
    bus: Bus,
    keeper: Keeper,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<FailureKind>>>,
}

fn fixture() -> Fixture {
    let (gate, keeper) = gate();
    let log = Arc::new(Recorder::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&told);
    let builder: BusBuilder = Bus::builder()
        .without(draws)
        .state(gate)
        .state(Arc::clone(&log))
        .on_failure(move |failure| to.lock().unwrap().push(failure.kind()));
    Fixture {
        bus: builder.build().unwrap(),
        keeper,
        log,
        told,
    }
}

impl Fixture {
    /// The worker has taken the second event and begun nothing since it ended the first.
    fn take_two(&self) -> Keeper {
        let (dropped, drops) = gate();
        self.bus.emit(Held {
            number: 1,
            dropped: Some(dropped),
        });
        self.keeper.until_one_came();
        for number in 2..=3 {
            let dropped = None;
            self.bus.emit(Held { number, dropped });
        }
        self.keeper.open();
        drops.until_one_came();
        drops
    }

    fn told(&self) -> Vec<FailureKind> {
        self.told.lock().unwrap().clone()
    }
}

fn until(bus: &Bus, function: &str, condition: impl Fn(QueueStats) -> bool) -> QueueStats {
    loop {
        let queues = bus.queues();
        let mut queues = queues.iter();
        let mine = queues.find(|(listener, _)| listener.function() == function);
        let stats = mine.expect("there is such a queue").1;
        if condition(stats) {
            return stats;
        }
        thread::yield_now();
    }
}

#[test]
fn what_was_taken_and_not_begun_at_the_deadline_is_listed_as_waiting_and_never_runs() {
    let fixture = fixture();
    let drops = fixture.take_two();
    let shutdown = fixture.bus.shutdown_blocking(Duration::ZERO).unwrap();
    drops.open();

    let left = &shutdown.left()[0];
    assert_eq!((left.waiting(), left.in_flight().len()), (2, 0));
    let stats = until(&fixture.bus, "takes", |stats| stats.in_flight == 0);
    assert_eq!((stats.delivered, stats.failed), (1, 0));
    assert_eq!(fixture.log.take(), ["1"]);
    assert_eq!(fixture.told(), [FailureKind::Abandoned; 2]);
}

#[test]
fn what_was_taken_and_not_begun_when_the_last_handle_goes_is_told_to_the_hook() {
    let fixture = fixture();
    let drops = fixture.take_two();
    let Fixture { bus, log, told, .. } = fixture;
    drop(bus);
    assert_eq!(*told.lock().unwrap(), [FailureKind::Abandoned]);
    drops.open();
    while told.lock().unwrap().len() < 2 {
        thread::yield_now();
    }
    assert_eq!(*told.lock().unwrap(), [FailureKind::Abandoned; 2]);
    assert_eq!(log.take(), ["1"]);
}

#[test]
fn a_batch_that_runs_at_the_deadline_is_as_many_deliveries_in_flight_as_it_has_events() {
    let fixture = fixture();
    fixture.bus.emit(Placed(0));
    fixture.keeper.until_one_came();
    (1..=5).for_each(|number| drop(fixture.bus.emit(Placed(number))));
    fixture.keeper.open();
    fixture.keeper.until_one_came();
    let shutdown = fixture.bus.shutdown_blocking(Duration::ZERO).unwrap();

    let left = &shutdown.left()[0];
    assert_eq!((left.waiting(), left.in_flight().len()), (2, 3));
    assert_eq!(fixture.told(), [FailureKind::Abandoned; 5]);
    // What runs is left alone, and nothing else begins.
    fixture.keeper.open();
    let stats = until(&fixture.bus, "index", |stats| stats.in_flight == 0);
    assert_eq!((stats.delivered, stats.failed), (4, 0));
    assert_eq!(fixture.log.take(), ["[0]", "[1, 2, 3]"]);
}

#[test]
fn what_runs_at_the_deadline_is_not_tried_again() {
    let fixture = fixture();
    fixture.bus.emit(Unreliable);
    fixture.keeper.until_one_came();
    let shutdown = fixture.bus.shutdown_blocking(Duration::ZERO).unwrap();
    fixture.keeper.open();

    let left = &shutdown.left()[0];
    assert_eq!((left.waiting(), left.in_flight().len()), (0, 1));
    let stats = until(&fixture.bus, "fails", |stats| stats.in_flight == 0);
    assert_eq!((stats.failed, stats.in_backoff, stats.retried), (1, 0, 0));
    assert_eq!(fixture.log.take(), ["tried"]);
    let expected = [FailureKind::Abandoned, FailureKind::Error];
    assert_eq!(fixture.told(), expected);
}

#[test]
fn what_waits_for_its_next_try_at_the_deadline_is_listed_as_that() {
    let fixture = fixture();
    fixture.bus.emit(Hopeless);
    until(&fixture.bus, "waits", |stats| stats.in_backoff == 1);
    let shutdown = fixture.bus.shutdown_blocking(Duration::ZERO).unwrap();

    let left = &shutdown.left()[0];
    let figures = (left.waiting(), left.in_backoff(), left.in_flight().len());
    assert_eq!(figures, (0, 1, 0));
    assert_eq!(fixture.told(), [FailureKind::Abandoned]);
    let again = fixture.bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(again.to_string(), shutdown.to_string());
}

#[test]
fn an_async_queue_without_a_runtime_skips_what_its_condition_does_not_want() {
    let fixture = fixture();
    let skipped = fixture.bus.emit(Measured(1)).report();
    assert_eq!((skipped.skipped(), skipped.failed()), (1, 0));
    let refused = fixture.bus.emit(Measured(2)).report();
    assert_eq!(refused.failures()[0].kind(), FailureKind::NoRuntime);
}

#[test]
fn a_queued_pattern_listener_of_an_event_that_is_not_send_is_called_queued() {
    let error = Bus::builder().only(draws).build().unwrap_err();
    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(
        problem.message(),
        "queued listener `queues_given_up::draws` hears `local.drawn` by a pattern, but `queues_given_up::Drawn` is not `Send + Sync`"
    );
}
