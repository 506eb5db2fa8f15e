//! A runtime that shuts down before its bus: every delivery is told, the figures add up, and nobody waits for ever.
#![cfg(feature = "tokio")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tidings::{Bus, Failure, FailureKind, QueueStats, Runtime, Task, event, listener};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc::UnboundedSender, mpsc::unbounded_channel};

const SOON: Duration = Duration::from_secs(60);

#[event]
struct Uploaded;

#[listener(queue = 2)]
async fn convert(_: &Uploaded, gate: &Semaphore, began: &UnboundedSender<()>) {
    began.send(()).unwrap();
    gate.acquire().await.unwrap().forget();
}

#[event]
struct Paid;

#[listener(queue = 2, retry = 1, backoff = "1h..1h")]
async fn book(_: &Paid) -> Result<(), &'static str> {
    Err("the bank is closed")
}

#[event]
struct Printed;

#[listener(queue = 2, retry = 1, backoff = "1ms..1ms")]
fn file(_: &Printed, tries: &AtomicU32) -> Result<(), &'static str> {
    match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err("the tray is empty"),
        _ => Ok(()),
    }
}

#[event]
struct Held;

#[listener(queue = 2)]
fn hold(_: &Held, open: &Mutex<std::sync::mpsc::Receiver<()>>) {
    open.lock().unwrap().recv().unwrap();
}

type Told = Arc<Mutex<Vec<(FailureKind, String)>>>;

struct Fixture {
    bus: Bus,
    told: Told,
    began: tokio::sync::mpsc::UnboundedReceiver<()>,
    open: std::sync::mpsc::Sender<()>,
}

fn fixture(runtime: impl Runtime) -> Fixture {
    let told = Told::default();
    let hook = Arc::clone(&told);
    let (sender, began) = unbounded_channel();
    let (open, gate) = std::sync::mpsc::channel();
    let bus = Bus::builder()
        .state(Semaphore::new(0))
        .state(sender)
        .state(AtomicU32::new(0))
        .state(Mutex::new(gate))
        .runtime(runtime)
        .on_failure(move |failure: &Failure| {
            let told = (failure.kind(), failure.message().to_owned());
            hook.lock().unwrap().push(told);
        })
        .build()
        .unwrap();
    Fixture {
        bus,
        told,
        began,
        open,
    }
}

fn stats(bus: &Bus, function: &str) -> QueueStats {
    let queues = bus.queues().into_iter();
    let mut own = queues.filter(|(listener, _)| listener.function() == function);
    own.next().unwrap().1
}

/// What came to the queue, by its figures.
fn sum(stats: &QueueStats) -> u64 {
    let open = stats.depth + stats.in_flight + stats.in_backoff;
    let ended = stats.delivered + stats.skipped + stats.dropped + stats.rejected;
    open as u64 + ended + stats.failed + stats.abandoned
}

fn until_told(told: &Told, times: usize) {
    while told.lock().unwrap().len() < times {
        thread::yield_now();
    }
}

fn multi() -> tokio::runtime::Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_time().build().unwrap()
}

fn single() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

type End = fn(tokio::runtime::Runtime);

const ENDS: [End; 3] = [
    tokio::runtime::Runtime::shutdown_background,
    |runtime| runtime.shutdown_timeout(SOON),
    |runtime| drop(runtime),
];

#[test]
fn a_queue_whose_runtime_ends_abandons_what_ran_and_what_waited() {
    for end in ENDS {
        let runtime = multi();
        let Fixture {
            bus,
            told,
            mut began,
            ..
        } = fixture(runtime.handle().clone());
        bus.emit(Uploaded);
        began.blocking_recv().unwrap();
        bus.emit(Uploaded);
        bus.emit(Uploaded);

        end(runtime);
        until_told(&told, 3);

        let figures = stats(&bus, "convert");
        assert_eq!((figures.failed, figures.abandoned), (1, 2));
        assert_eq!(sum(&figures), 3);

        // It is not accepted in silence afterwards either.
        bus.emit(Uploaded);
        block_on(async { bus.emit(Uploaded).await });
        assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());

        let told = told.lock().unwrap();
        assert!(told.iter().all(|(kind, _)| *kind == FailureKind::Abandoned));
        let words: Vec<_> = told.iter().map(|(_, message)| message.as_str()).collect();
        assert_eq!(
            words[0],
            "the runtime dropped the listener's future before it finished"
        );
        assert!(words[1].contains("shut the bus down before its runtime"));
        assert_eq!((words.len(), words[4]), (5, words[1]));
        assert_eq!(sum(&stats(&bus, "convert")), 5);
    }
}

#[test]
fn who_waits_for_room_in_a_queue_is_told_when_the_runtime_ends() {
    for end in ENDS {
        let runtime = multi();
        let mut fixture = fixture(runtime.handle().clone());
        let emitters: Vec<_> = [false, true]
            .map(|awaits| {
                let bus = fixture.bus.clone();
                thread::spawn(move || {
                    for _ in 0..10 {
                        if awaits {
                            block_on(async { bus.emit(Uploaded).await });
                        } else {
                            bus.emit(Uploaded);
                        }
                    }
                })
            })
            .into();
        fixture.began.blocking_recv().unwrap();
        while stats(&fixture.bus, "convert").depth < 2 {
            thread::yield_now();
        }

        end(runtime);

        for emitter in emitters {
            emitter.join().unwrap();
        }
        assert!(fixture.bus.shutdown_blocking(SOON).unwrap().is_clean());
        until_told(&fixture.told, 20);
        assert_eq!(sum(&stats(&fixture.bus, "convert")), 20);
        assert_eq!(fixture.told.lock().unwrap().len(), 20);
    }
}

#[test]
fn a_worker_that_never_began_leaves_nothing_behind() {
    for end in ENDS {
        // Nobody drives it, so its tasks wait for their first turn.
        let runtime = single();
        let Fixture { bus, told, .. } = fixture(runtime.handle().clone());
        bus.emit(Uploaded);
        bus.emit(Uploaded);
        let late = bus.clone();
        let late = thread::spawn(move || late.emit(Uploaded).report().queued());
        while stats(&bus, "convert").depth < 2 {
            thread::yield_now();
        }

        end(runtime);

        assert_eq!(late.join().unwrap(), 1);
        until_told(&told, 3);
        assert_eq!(stats(&bus, "convert").abandoned, 3);
        assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    }
}

#[test]
fn a_retry_that_waits_is_abandoned_with_its_runtime() {
    for end in ENDS {
        let runtime = multi();
        let Fixture { bus, told, .. } = fixture(runtime.handle().clone());
        bus.emit(Paid);
        while stats(&bus, "book").in_backoff < 1 {
            thread::yield_now();
        }

        end(runtime);
        until_told(&told, 1);

        let figures = stats(&bus, "book");
        assert_eq!((figures.in_backoff, figures.abandoned), (0, 1));
        assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
        assert_eq!(told.lock().unwrap()[0].0, FailureKind::Abandoned);
    }
}

#[test]
fn the_queues_of_plain_functions_outlive_the_runtime() {
    let runtime = multi();
    let Fixture { bus, told, .. } = fixture(runtime.handle().clone());
    drop(runtime);

    bus.emit(Printed);

    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let figures = stats(&bus, "file");
    assert_eq!((figures.retried, figures.delivered), (1, 1));
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn a_shutdown_keeps_its_deadline_after_the_runtime_ended() {
    let runtime = multi();
    let Fixture {
        bus, told, open, ..
    } = fixture(runtime.handle().clone());
    bus.emit(Held);
    while stats(&bus, "hold").in_flight < 1 {
        thread::yield_now();
    }
    drop(runtime);

    let shutdown = block_on(bus.shutdown(Duration::from_millis(1))).unwrap();

    assert_eq!(shutdown.left()[0].in_flight().len(), 1);
    assert_eq!(told.lock().unwrap()[0].0, FailureKind::Abandoned);
    open.send(()).unwrap();
}

/// Its timers panic.
#[derive(Default)]
struct NoTimers(Arc<AtomicU32>);

impl Runtime for NoTimers {
    fn spawn(&self, task: Task) {
        thread::spawn(|| block_on(task));
    }

    fn sleep_until(&self, _: Instant) -> Task {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { panic!("no timers") })
    }
}

#[test]
fn a_runtime_whose_timer_panics_is_asked_once_for_each_wait() {
    let runtime = NoTimers::default();
    let asked = Arc::clone(&runtime.0);
    let Fixture { bus, .. } = fixture(runtime);

    bus.emit(Printed);

    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert_eq!(stats(&bus, "file").delivered, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// Takes no task.
struct Full;

impl Runtime for Full {
    fn spawn(&self, _: Task) {
        panic!("no room");
    }
}

#[test]
fn a_runtime_that_panics_in_spawn_loses_no_delivery_of_a_queue_in_silence() {
    let Fixture { bus, told, .. } = fixture(Full);
    assert_eq!(bus.emit(Uploaded).report().queued(), 1);
    assert_eq!(told.lock().unwrap()[0].0, FailureKind::Abandoned);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
}
