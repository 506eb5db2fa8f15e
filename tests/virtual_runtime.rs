//! Buses in virtual time.
#![cfg(feature = "runtime")]

mod support;
#[path = "support/virtual_world.rs"]
mod virtual_world;

use std::future::IntoFuture;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use support::Recorder;
use tidings::{Bus, Context, FailureKind, Runtime, VirtualRuntime, WouldDeadlock, event, listener};
use virtual_world::World;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[event]
struct Unpaid;

#[listener(queue = 8, retry = 3, backoff = "1h..1h")]
fn charge(_: &Unpaid, tries: &AtomicU32, log: &Recorder) -> Result<(), &'static str> {
    if tries.fetch_add(1, Ordering::SeqCst) < 2 {
        return Err("the bank is closed");
    }
    log.note("charged");
    Ok(())
}

#[event]
struct Hurried;

#[listener(queue = 1)]
fn hurry(_: &Hurried, log: &Recorder) {
    log.note("hurried");
}

#[event]
struct Slow(u64);

#[listener(timeout = "5s")]
async fn slowly(e: &Slow, time: &VirtualRuntime, log: &Recorder) {
    let wait = Duration::from_secs(e.0);
    time.sleep_until(time.now() + wait).await;
    log.note(format!("after {}", e.0));
}

#[event]
struct Stuck;

#[listener]
async fn wait_for_ever(_: &Stuck) {
    std::future::pending::<()>().await;
}

#[event]
struct First;

#[event]
struct Second;

#[listener(queue = 4)]
fn answer(_: &First, cx: Context<'_>, log: &Recorder) -> Second {
    cx.bus().emit(Slow(1));
    log.note("first");
    Second
}

#[listener(queue = 4)]
fn hear(_: &Second, log: &Recorder) {
    log.note("second");
}

#[test]
fn a_clean_stop_lets_the_clock_run_through_the_retries() {
    let world = World::new();
    world.bus.emit(Unpaid);

    let shutdown = world.bus.shutdown_blocking(3 * HOUR).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(world.log.take(), ["charged"]);
    assert_eq!(world.time.elapsed(), 2 * HOUR);
}

#[test]
fn the_deadline_of_a_stop_is_virtual() {
    let world = World::new();
    world.bus.emit(Unpaid);

    let shutdown = world.bus.shutdown_blocking(SECOND).unwrap();

    assert_eq!(shutdown.left()[0].in_backoff(), 1);
    assert_eq!(world.time.elapsed(), SECOND);
    assert_eq!(world.failures(), [FailureKind::Abandoned]);
}

#[test]
fn a_stop_is_awaited_under_any_executor() {
    let world = World::new();
    world.bus.emit(Unpaid);

    let shutdown = block_on(world.bus.shutdown(SECOND)).unwrap();

    assert_eq!(shutdown.left()[0].in_backoff(), 1);
    assert_eq!(world.time.elapsed(), SECOND);

    let world = World::new();
    world.bus.emit(Unpaid);
    let shutdown = block_on(world.bus.shutdown(3 * HOUR)).unwrap();
    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(world.time.elapsed(), 2 * HOUR);
}

#[test]
fn the_clock_waits_for_what_the_same_task_awaits_besides() {
    let world = World::new();
    world.bus.emit(Slow(3));
    world.time.run_until_stalled();
    let sleep = world.time.sleep_until(world.time.now() + SECOND);

    let (shutdown, woke) = block_on(futures::future::join(world.bus.shutdown(HOUR), async {
        sleep.await;
        world.time.elapsed()
    }));

    assert!(shutdown.unwrap().is_clean());
    assert_eq!(woke, SECOND);
    assert_eq!(world.time.elapsed(), 3 * SECOND);
}

#[test]
fn an_emission_is_awaited_under_any_executor() {
    let world = World::new();

    let report = block_on(world.bus.emit(Slow(3)).into_future());

    assert_eq!((report.ran(), report.failed()), (1, 0));
    assert_eq!(world.log.take(), ["after 3"]);
    assert_eq!(world.time.elapsed(), 3 * SECOND);
}

#[test]
fn an_emission_is_awaited_in_a_driven_future() {
    let world = World::new();

    let report = world.time.block_on(world.bus.emit(Slow(3)).into_future());

    assert_eq!(report.ran(), 1);
    assert_eq!(world.time.elapsed(), 3 * SECOND);
}

#[test]
fn a_timeout_comes_in_virtual_time() {
    let world = World::new();

    let report = block_on(world.bus.emit(Slow(6)).into_future());

    assert_eq!(report.failures()[0].kind(), FailureKind::TimedOut);
    assert_eq!(world.time.elapsed(), 5 * SECOND);
    assert!(world.log.take().is_empty());
}

#[test]
fn sleeps_of_many_deliveries_overlap() {
    let world = World::new();

    let all = futures::future::join_all((0..10).map(|_| world.bus.emit(Slow(1)).into_future()));
    let reports = block_on(all);

    assert!(reports.iter().all(|report| report.ran() == 1));
    assert_eq!(world.time.elapsed(), SECOND);
}

#[test]
fn what_listeners_return_and_emit_goes_on_in_virtual_time() {
    let world = World::new();
    world.bus.emit(First);

    let shutdown = world.bus.shutdown_blocking(HOUR).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(world.log.take(), ["first", "second", "after 1"]);
    assert_eq!(world.time.elapsed(), SECOND);
}

#[test]
fn the_guard_of_an_installed_bus_waits_in_virtual_time() {
    let world = World::new();
    let guard = world.bus.clone().install().unwrap();
    guard.emit(Slow(2));

    drop(guard);

    assert_eq!(world.log.take(), ["after 2"]);
    assert_eq!(world.time.elapsed(), 2 * SECOND);
}

/// A bus of which no state keeps the runtime.
fn stuck(time: VirtualRuntime, failures: &Arc<Mutex<Vec<FailureKind>>>) -> Bus {
    let told = Arc::clone(failures);
    Bus::builder()
        .only(wait_for_ever)
        .on_failure(move |failure| told.lock().unwrap().push(failure.kind()))
        .runtime(time)
        .build()
        .unwrap()
}

#[test]
fn deliveries_left_with_the_last_handle_are_abandoned() {
    let failures = Arc::<Mutex<Vec<_>>>::default();
    let time = VirtualRuntime::new();
    let bus = stuck(time.clone(), &failures);
    bus.emit(Stuck);
    time.run_until_stalled();

    drop(bus);
    assert!(failures.lock().unwrap().is_empty());
    drop(time);

    assert_eq!(*failures.lock().unwrap(), [FailureKind::Abandoned]);
}

#[test]
fn deliveries_of_a_bus_with_the_only_handle_are_abandoned_with_the_thread() {
    let failures = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&failures);

    let home = thread::spawn(move || drop(stuck(VirtualRuntime::new(), &told).emit(Stuck)));

    home.join().unwrap();
    assert_eq!(*failures.lock().unwrap(), [FailureKind::Abandoned]);
}

#[test]
fn a_bus_may_have_the_only_handle() {
    let log = Arc::<Recorder>::default();
    let bus = Bus::builder()
        .only(hurry)
        .state(Arc::clone(&log))
        .runtime(VirtualRuntime::new())
        .build()
        .unwrap();
    bus.emit(Hurried);

    assert!(bus.shutdown_blocking(SECOND).unwrap().is_clean());
    assert_eq!(log.take(), ["hurried"]);
}

#[test]
fn a_stop_inside_a_task_is_refused() {
    let world = World::new();
    let bus = world.bus.clone();

    let refused: Result<(), WouldDeadlock> = world
        .time
        .block_on(async move { bus.shutdown_blocking(SECOND).map(drop) });

    assert!(refused.is_err());
}

#[test]
fn a_stop_on_another_thread_waits_for_the_home_thread() {
    let world = World::new();
    world.bus.emit(Hurried);
    let bus = world.bus.clone();
    let done = Arc::new(AtomicBool::new(false));
    let (say, said) = futures::channel::oneshot::channel();
    let told = Arc::clone(&done);
    let stopper = thread::spawn(move || {
        let shutdown = bus.shutdown_blocking(HOUR);
        told.store(true, Ordering::SeqCst);
        // Who waits for it may be gone.
        let _ = say.send(());
        shutdown
    });

    world.time.block_on(said).unwrap();

    assert!(done.load(Ordering::SeqCst));
    assert!(stopper.join().unwrap().unwrap().is_clean());
    assert_eq!(world.log.take(), ["hurried"]);
}

#[test]
fn an_emission_of_another_thread_is_delivered_at_home() {
    let world = World::new();
    let bus = world.bus.clone();
    let emitter = thread::spawn(move || block_on(bus.emit(Slow(2)).into_future()));
    let (say, said) = futures::channel::oneshot::channel();
    let watcher = thread::spawn(move || {
        let report = emitter.join().unwrap();
        // Who waits for it may be gone.
        let _ = say.send(report.ran());
    });

    assert_eq!(world.time.block_on(said), Ok(1));

    watcher.join().unwrap();
    assert_eq!(world.time.elapsed(), 2 * SECOND);
}
