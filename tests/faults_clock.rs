//! Clocks that jump, and times that no clock reaches.
#![cfg(feature = "test")]

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tidings::test::TestBus;
use tidings::{Bus, Failure, FailureKind, Runtime, Task, VirtualRuntime, event, listener};

const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[event]
struct Paid;

#[derive(Default)]
struct Booked(AtomicU32);

#[listener(queue = 4, retry = 1, backoff = "1h..1h")]
async fn book(_: &Paid, tries: &Booked) -> Result<(), &'static str> {
    match tries.0.fetch_add(1, Ordering::SeqCst) {
        0 => Err("the bank is closed"),
        _ => Ok(()),
    }
}

#[event]
struct Called;

#[listener(timeout = "1h")]
async fn answer(_: &Called) {
    pending::<()>().await;
}

#[event]
struct Printed;

#[derive(Default)]
struct Filed(AtomicU32);

/// The same on a thread.
#[listener(queue = 4, retry = 1, backoff = "1h..1h")]
fn file(_: &Printed, tries: &Filed) -> Result<(), &'static str> {
    match tries.0.fetch_add(1, Ordering::SeqCst) {
        0 => Err("the tray is empty"),
        _ => Ok(()),
    }
}

/// A clock that is set by hand, to any time.
#[derive(Clone)]
struct Jumping(Arc<Mutex<Dial>>);

struct Dial {
    now: Instant,
    waiting: BTreeMap<u64, Waker>,
    sleeps: u64,
    polls: u64,
}

impl Jumping {
    fn new() -> Self {
        let dial = Dial {
            // Far enough to go back.
            now: Instant::now() + 10 * YEAR,
            waiting: BTreeMap::new(),
            sleeps: 0,
            polls: 0,
        };
        Self(Arc::new(Mutex::new(dial)))
    }

    fn jump(&self, to: impl FnOnce(Instant) -> Instant) {
        let mut dial = self.0.lock().unwrap();
        dial.now = to(dial.now);
        let woken = std::mem::take(&mut dial.waiting);
        drop(dial);
        woken.into_values().for_each(Waker::wake);
    }

    fn waiting(&self) -> usize {
        self.0.lock().unwrap().waiting.len()
    }

    fn polls(&self) -> u64 {
        self.0.lock().unwrap().polls
    }
}

struct Sleep {
    clock: Jumping,
    at: Instant,
    number: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut dial = self.clock.0.lock().unwrap();
        dial.polls += 1;
        if dial.now >= self.at {
            return Poll::Ready(());
        }
        dial.waiting.insert(self.number, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.clock.0.lock().unwrap().waiting.remove(&self.number);
        drop(waker);
    }
}

impl Runtime for Jumping {
    fn spawn(&self, task: Task) {
        thread::spawn(|| block_on(task));
    }

    fn now(&self) -> Instant {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, at: Instant) -> Task {
        let mut dial = self.0.lock().unwrap();
        dial.sleeps += 1;
        let number = dial.sleeps;
        drop(dial);
        Box::pin(Sleep {
            clock: self.clone(),
            at,
            number,
        })
    }
}

type Told = Arc<Mutex<Vec<FailureKind>>>;

fn bus(runtime: impl Runtime) -> (Bus, Told) {
    let told = Told::default();
    let hook = Arc::clone(&told);
    let bus = Bus::builder()
        .state(Booked::default())
        .state(Filed::default())
        .runtime(runtime)
        .on_failure(move |failure: &Failure| hook.lock().unwrap().push(failure.kind()));
    (bus.build().unwrap(), told)
}

fn in_backoff(bus: &Bus) -> usize {
    let queues = bus.queues();
    queues.iter().map(|(_, figures)| figures.in_backoff).sum()
}

/// Retries on a task and on a thread and a timeout wait for the clock, and a shutdown for all of them.
fn wait_for(clock: &Jumping, bus: &Bus) -> thread::JoinHandle<bool> {
    bus.emit(Paid);
    while in_backoff(bus) < 1 {
        thread::yield_now();
    }
    bus.emit(Printed);
    bus.emit(Called);
    while in_backoff(bus) < 2 || clock.waiting() < 3 {
        thread::yield_now();
    }
    let shutdown = bus.shutdown(2 * YEAR);
    let ended = thread::spawn(|| block_on(shutdown).unwrap().is_clean());
    while clock.waiting() < 4 {
        thread::yield_now();
    }
    ended
}

#[test]
fn a_clock_that_goes_back_ends_nothing_early_and_loses_nothing() {
    let clock = Jumping::new();
    let (bus, told) = bus(clock.clone());
    let ended = wait_for(&clock, &bus);
    let before = clock.polls();

    clock.jump(|now| now.checked_sub(YEAR).unwrap());
    // Each of those who wait looks once, and waits on.
    while clock.waiting() < 4 {
        thread::yield_now();
    }

    assert_eq!(clock.polls(), before + 4);
    assert_eq!(in_backoff(&bus), 2);
    assert!(told.lock().unwrap().is_empty());
    for (_, figures) in bus.queues() {
        assert_eq!((figures.delivered, figures.oldest), (0, None));
    }

    clock.jump(|now| now + YEAR + HOUR);
    assert!(ended.join().unwrap());
    for (_, figures) in bus.queues() {
        assert_eq!((figures.retried, figures.delivered), (1, 1));
    }
    assert_eq!(*told.lock().unwrap(), [FailureKind::TimedOut]);
}

#[test]
fn a_clock_that_jumps_ahead_ends_what_waits_and_loses_nothing() {
    let clock = Jumping::new();
    let (bus, told) = bus(clock.clone());
    let ended = wait_for(&clock, &bus);

    clock.jump(|now| now + YEAR);

    assert!(ended.join().unwrap());
    for (_, figures) in bus.queues() {
        assert_eq!((figures.retried, figures.delivered), (1, 1));
    }
    assert_eq!(*told.lock().unwrap(), [FailureKind::TimedOut]);
}

#[test]
fn what_runs_and_waits_has_no_age_below_zero() {
    let clock = Jumping::new();
    let (bus, _) = bus(clock.clone());
    bus.emit(Called);
    clock.jump(|now| now.checked_sub(YEAR).unwrap());

    let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();

    assert_eq!(shutdown.left()[0].in_flight(), [Duration::ZERO]);
}

#[test]
fn a_deadline_that_no_clock_reaches_is_none() {
    let (bus, told) = bus(VirtualRuntime::new());
    bus.emit(Paid);
    assert!(bus.shutdown_blocking(Duration::MAX).unwrap().is_clean());
    assert!(block_on(bus.shutdown(Duration::MAX)).unwrap().is_clean());
    assert!(told.lock().unwrap().is_empty());

    let bus = Bus::builder()
        .only(file)
        .state(Filed(AtomicU32::new(1)))
        .build();
    let guard = bus.unwrap().install().unwrap().drain_for(Duration::MAX);
    tidings::emit(Printed);
    drop(guard);
}

#[test]
fn a_timeout_and_a_backoff_that_no_clock_reaches_do_not_panic() {
    let time = VirtualRuntime::new();
    let bus = Bus::builder()
        .state(Booked::default())
        .state(Filed::default())
        .tune(book, |policy| policy.backoff(Duration::MAX, Duration::MAX))
        .tune(answer, |policy| policy.timeout(Duration::MAX))
        .runtime(time.clone())
        .build()
        .unwrap();
    // Where no time is left on the clock they end at once, or never.
    for _ in 0..3 {
        bus.emit(Paid);
        bus.emit(Called);
        time.advance(Duration::MAX);
        assert!(time.elapsed() > 100 * YEAR);
    }
    let figures = bus.queues()[0].1;
    assert_eq!(figures.delivered + figures.in_backoff as u64, 3);

    let shutdown = bus.shutdown_blocking(HOUR).unwrap();
    let mut left = shutdown.left().iter();
    assert!(left.any(|left| left.in_flight().len() == 3));
}

#[test]
fn virtual_time_goes_on_by_decades_and_never_over_the_end() {
    let bus = TestBus::builder()
        .state(Booked::default())
        .state(Filed::default())
        .build();
    bus.delay(answer, Duration::MAX);
    bus.emit(Called);
    bus.emit(Paid);

    for _ in 0..100 {
        bus.advance(10 * YEAR);
    }
    assert_eq!(bus.elapsed(), 1000 * YEAR);
    bus.run().heard_by(book).once().ok();

    for _ in 0..200 {
        bus.advance(Duration::MAX);
    }
    bus.emit(Paid);
    bus.advance(Duration::ZERO);
}

#[test]
fn a_slow_listener_may_take_longer_than_the_clock_has() {
    let time = VirtualRuntime::new();
    (0..200).for_each(|_| time.pass(Duration::MAX));
    let elapsed = time.elapsed();
    time.pass(Duration::MAX);
    assert!(time.elapsed() >= elapsed);
}
