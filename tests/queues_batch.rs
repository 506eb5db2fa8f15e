//! Listeners that are given several events at once.
#![cfg(feature = "runtime")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::Recorder;
use tidings::{
    AnyEvent, Bus, BusBuilder, Context, QueueStats, Shutdown, emit, event, listener, listeners,
};

const SOON: Duration = Duration::from_secs(60);

/// Holds the first call until it is opened, so that the next one finds as many events as the test wants.
struct Gate {
    opened: Mutex<Receiver<()>>,
    begun: AtomicU32,
}

impl Gate {
    fn pass_first(&self) {
        if self.begun.fetch_add(1, Ordering::SeqCst) == 0 {
            self.opened.lock().unwrap().recv().unwrap();
        }
    }
}

fn numbers<'a>(numbers: impl IntoIterator<Item = &'a u32>) -> String {
    let numbers: Vec<_> = numbers.into_iter().map(u32::to_string).collect();
    numbers.join("+")
}

#[event]
struct Placed(u32);

#[listener(queue = 64, batch = 3, when = |e| e.0 % 10 != 9)]
fn index(orders: &[&Placed], gate: &Gate, log: &Recorder) {
    gate.pass_first();
    log.note(numbers(orders.iter().map(|e| &e.0)));
}

#[event]
struct Ordered {
    customer: String,
    number: u32,
}

#[listener(queue = 64, batch = 8, key = |e| e.customer)]
fn per_customer(orders: &[&Ordered], gate: &Gate, log: &Recorder) {
    gate.pass_first();
    assert!(orders.iter().all(|e| e.customer == orders[0].customer));
    let list = numbers(orders.iter().map(|e| &e.number));
    log.note(format!("{}: {list}", orders[0].customer));
}

#[event]
struct Unreliable(u32);

#[event]
struct Indexed(String);

/// Fails twice as soon as it has several.
#[listener(queue = 64, batch = 8, retry = 2, backoff = "1ms..2ms")]
fn tries(
    events: &[&Unreliable],
    gate: &Gate,
    log: &Recorder,
    failures: &AtomicU32,
) -> Result<Indexed, String> {
    gate.pass_first();
    let list = numbers(events.iter().map(|e| &e.0));
    log.note(format!("try {list}"));
    if events.len() > 1 && failures.fetch_add(1, Ordering::SeqCst) < 2 {
        return Err("not yet".into());
    }
    Ok(Indexed(list))
}

#[listener]
fn indexed(e: &Indexed, log: &Recorder) {
    log.note(format!("indexed {}", e.0));
}

#[event]
struct Broken;

#[listener(queue = 64, batch = 8)]
fn breaks(events: &[&Broken], gate: &Gate) -> Result<(), String> {
    gate.pass_first();
    match events {
        [] => unreachable!("a call has an event"),
        [_] => Err("alone".into()),
        several => panic!("{} at once", several.len()),
    }
}

#[event("mail.sent")]
struct Sent;

#[event("mail.bounced")]
struct Bounced;

#[listener("mail.*", queue = 64, batch = 8)]
fn mails(mails: &[&AnyEvent<'_>], gate: &Gate, log: &Recorder) {
    gate.pass_first();
    let topics: Vec<_> = mails.iter().map(|mail| mail.topic()).collect();
    log.note(topics.join("+"));
}

#[event]
struct Asked(u32);

/// Emits on the bus of the delivery, both ways, with what is known of the first event.
#[listener(queue = 64, batch = 8)]
async fn answers(questions: &[&Asked], cx: Context<'_>, log: &Recorder) {
    let cause = cx.cause().map(|cause| cause.topic());
    tokio::task::yield_now().await;
    log.note(format!(
        "{} of {} at depth {}, caused by {cause:?}",
        questions.len(),
        cx.topic(),
        cx.depth(),
    ));
    emit(Indexed(numbers(questions.iter().map(|e| &e.0))));
    cx.emit(Indexed("once more".into()));
}

#[event]
struct Opened(u32);

#[listener]
fn asks(e: &Opened) -> (Asked, Asked) {
    (Asked(e.0), Asked(e.0 + 1))
}

struct Mailer(u32);

#[event]
struct Typed(u32);

#[listeners]
impl Mailer {
    #[listener(queue = 64, batch = 8)]
    fn collects(&self, events: &[&Typed], gate: &Gate, log: &Recorder) {
        gate.pass_first();
        let list = numbers(events.iter().map(|e| &e.0));
        log.note(format!("{} has {list}", self.0));
    }

    #[listener(queue = 64, batch = 8)]
    fn associated(events: &[&Typed], log: &Recorder) {
        for event in events {
            log.note(format!("seen {}", event.0));
        }
    }
}

struct Fixture {
    bus: Bus,
    open: Sender<()>,
    gate: Arc<Gate>,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<String>>>,
}

fn fixture(change: impl FnOnce(BusBuilder) -> BusBuilder) -> Fixture {
    let (open, opened) = channel();
    let gate = Arc::new(Gate {
        opened: Mutex::new(opened),
        begun: AtomicU32::new(0),
    });
    let log = Arc::new(Recorder::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&told);
    let builder = Bus::builder()
        .state(Arc::clone(&gate))
        .state(Arc::clone(&log))
        .state(AtomicU32::new(0))
        .on_failure(move |failure| {
            to.lock()
                .unwrap()
                .push(format!("{}: {}", failure.kind(), failure.message()));
        });
    Fixture {
        bus: change(builder).build().unwrap(),
        open,
        gate,
        log,
        told,
    }
}

impl Fixture {
    /// Waits until the first call runs.
    fn until_begun(&self) {
        while self.gate.begun.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    }

    /// Lets the first call go on, and waits for everything.
    fn finish(&self) {
        self.open.send(()).unwrap();
        let shutdown = self.bus.shutdown_blocking(SOON).unwrap();
        assert!(shutdown.is_clean(), "{shutdown}");
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    fn stats(&self, function: &str) -> QueueStats {
        let queues = self.bus.queues();
        let mut queues = queues.iter();
        let mine = queues.find(|(listener, _)| listener.function() == function);
        mine.expect("there is such a queue").1
    }
}

#[test]
fn one_call_gets_the_events_that_wait_in_their_order_and_never_more_than_the_batch() {
    let fixture = fixture(|builder| builder);
    fixture.bus.emit(Placed(0));
    fixture.until_begun();
    for number in 1..=5 {
        assert_eq!(fixture.bus.emit(Placed(number)).report().queued(), 1);
    }
    fixture.finish();

    assert_eq!(fixture.log.take(), ["0", "1+2+3", "4+5"]);
    assert_eq!(fixture.stats("index").delivered, 6);
}

#[test]
fn a_condition_selects_single_events_before_they_are_queued() {
    let fixture = fixture(|builder| builder);
    fixture.bus.emit(Placed(0));
    fixture.until_begun();
    let reports: Vec<_> = (8..=11)
        .map(|n| fixture.bus.emit(Placed(n)).report())
        .collect();
    fixture.finish();

    let queued: Vec<_> = reports.iter().map(|r| (r.queued(), r.skipped())).collect();
    assert_eq!(queued, [(1, 0), (0, 1), (1, 0), (1, 0)]);
    assert_eq!(fixture.log.take(), ["0", "8+10+11"]);
}

#[test]
fn the_events_of_one_call_have_one_key() {
    let fixture = fixture(|builder| builder);
    let place = |customer: &str, number| {
        let customer = customer.to_owned();
        fixture.bus.emit(Ordered { customer, number });
    };
    place("Zoe", 0);
    fixture.until_begun();
    for number in 1..=3 {
        place("Ada", number);
        place("Ben", number);
    }
    fixture.finish();

    assert_eq!(fixture.log.take(), ["Zoe: 0", "Ada: 1+2+3", "Ben: 1+2+3"]);
}

#[test]
fn a_retry_runs_the_whole_batch_again_and_what_it_returns_is_emitted_once() {
    let fixture = fixture(|builder| builder);
    fixture.bus.emit(Unreliable(0));
    fixture.until_begun();
    (1..=3).for_each(|n| drop(fixture.bus.emit(Unreliable(n))));
    fixture.finish();

    let expected = [
        "try 0",
        "indexed 0",
        "try 1+2+3",
        "try 1+2+3",
        "try 1+2+3",
        "indexed 1+2+3",
    ];
    assert_eq!(fixture.log.take(), expected);
    let stats = fixture.stats("tries");
    assert_eq!((stats.delivered, stats.retried, stats.failed), (4, 6, 0));
    assert_eq!(fixture.told(), [""; 0]);
}

#[test]
fn a_failed_call_is_told_once_and_counts_for_each_of_its_events() {
    let fixture = fixture(|builder| builder);
    fixture.bus.emit(Broken);
    fixture.until_begun();
    (1..=3).for_each(|_| drop(fixture.bus.emit(Broken)));
    fixture.finish();

    assert_eq!(fixture.told(), ["error: alone", "panic: 3 at once"]);
    let stats = fixture.stats("breaks");
    assert_eq!((stats.delivered, stats.failed), (0, 4));
}

#[test]
fn a_batch_of_any_event_has_events_of_several_types() {
    let fixture = fixture(|builder| builder);
    fixture.bus.emit(Sent);
    fixture.until_begun();
    fixture.bus.emit(Bounced);
    fixture.bus.emit(Sent);
    fixture.finish();

    assert_eq!(fixture.log.take(), ["mail.sent", "mail.bounced+mail.sent"]);
}

#[test]
fn an_async_batch_runs_as_a_task_with_the_context_of_its_first_event() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    let fixture = fixture(|builder| builder.runtime(handle));
    // The task cannot run before this thread drives the runtime.
    fixture.bus.emit(Opened(1));
    fixture.bus.emit(Asked(3));
    let shutdown: Shutdown = runtime.block_on(fixture.bus.shutdown(SOON)).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    let expected = [
        r#"3 of asked at depth 2, caused by Some("opened")"#,
        "indexed 1+2+3",
        "indexed once more",
    ];
    assert_eq!(fixture.log.take(), expected);
    assert_eq!(fixture.stats("answers").delivered, 3);
}

#[test]
fn methods_and_associated_functions_take_batches() {
    let fixture = fixture(|builder| builder.without(Mailer::associated));
    let _attached = fixture.bus.attach(Arc::new(Mailer(7))).unwrap();
    fixture.bus.emit(Typed(0));
    fixture.until_begun();
    (1..=3).for_each(|n| drop(fixture.bus.emit(Typed(n))));
    fixture.finish();

    assert_eq!(fixture.log.take(), ["7 has 0", "7 has 1+2+3"]);

    let others = self::fixture(|builder| builder.only(Mailer::associated));
    others.bus.emit(Typed(1));
    others.bus.emit(Typed(2));
    others.finish();
    assert_eq!(others.log.take(), ["seen 1", "seen 2"]);
}

#[test]
fn a_batch_can_be_tuned() {
    let fixture = fixture(|builder| {
        builder.tune(index, |policy| {
            assert_eq!(policy.max_batch(), 3);
            let tuned = policy.batch(2);
            assert_eq!(tuned.max_batch(), 2);
            tuned
        })
    });
    fixture.bus.emit(Placed(0));
    fixture.until_begun();
    (1..=4).for_each(|n| drop(fixture.bus.emit(Placed(n))));
    fixture.finish();

    assert_eq!(fixture.log.take(), ["0", "1+2", "3+4"]);
}

#[test]
fn a_listener_of_one_event_is_given_one_whatever_its_batch_is_tuned_to() {
    let fixture = fixture(|builder| builder.tune(archive, |policy| policy.batch(8)));
    (0..3).for_each(|n| drop(fixture.bus.emit(Archived(n))));
    fixture.finish();

    assert_eq!(fixture.log.take(), ["0", "1", "2"]);
}

#[event]
struct Archived(u32);

#[listener(queue = 64)]
fn archive(e: &Archived, log: &Recorder) {
    log.note(e.0.to_string());
}

#[cfg(feature = "json")]
#[test]
fn the_catalog_shows_the_batch() {
    let catalog: serde_json::Value = serde_json::from_str(&tidings::catalog().to_json()).unwrap();
    let listeners = catalog["listeners"].as_array().unwrap();
    let batch = |function: &str| {
        let id = format!("queues_batch::{function}");
        let mine = listeners.iter().find(|listener| listener["id"] == id);
        mine.expect("it is listed")["policy"]["batch"].clone()
    };
    assert_eq!(batch("index"), 3);
    assert_eq!(batch("archive"), 1);
}
