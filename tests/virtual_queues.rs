//! Queues in virtual time.
#![cfg(feature = "runtime")]

mod support;
#[path = "support/virtual_world.rs"]
mod virtual_world;

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use support::Recorder;
use tidings::{Bus, Context, FailureKind, Runtime, VirtualRuntime, event, listener};
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
struct Slow(u64);

#[listener(timeout = "5s")]
async fn slowly(e: &Slow, time: &VirtualRuntime, log: &Recorder) {
    let wait = Duration::from_secs(e.0);
    time.sleep_until(time.now() + wait).await;
    log.note(format!("after {}", e.0));
}

#[event]
struct Hurried;

#[listener(queue = 1)]
fn hurry(_: &Hurried, log: &Recorder) {
    log.note("hurried");
}

#[event]
struct Shared(u32);

#[listener(queue = 8)]
fn left(e: &Shared, log: &Recorder) {
    log.note(format!("left {}", e.0));
}

#[listener(queue = 8)]
async fn right(e: &Shared, log: &Recorder) {
    log.note(format!("right {}", e.0));
}

#[event]
struct Greedy;

#[listener(queue = 1)]
fn fill(_: &Greedy, cx: Context<'_>) {
    if cx.depth() == 1 {
        cx.bus().emit(Hurried);
        cx.bus().emit(Hurried);
    }
}

#[event]
struct Costly;

#[listener(queue = 4)]
fn take_long(_: &Costly, time: &VirtualRuntime, log: &Recorder) {
    time.pass(2 * SECOND);
    log.note(format!("at {:?}", time.elapsed()));
}

#[event]
struct Broken(bool);

#[listener(queue = 4)]
fn breaks(e: &Broken, log: &Recorder) {
    assert!(!e.0, "as it was told");
    log.note("whole");
}

#[event]
struct Elsewhere;

#[listener(queue = 4)]
fn on_its_thread(_: &Elsewhere, log: &Recorder) {
    log.note(format!(
        "{}",
        thread::current()
            .name()
            .unwrap_or("none")
            .starts_with("tidings:")
    ));
}

fn stats(bus: &Bus, listener: &str) -> tidings::QueueStats {
    let of =
        |(info, stats): (tidings::ListenerInfo, _)| (info.function() == listener).then_some(stats);
    bus.queues().into_iter().find_map(of).unwrap()
}

#[test]
fn a_retry_after_an_hour_runs_at_once() {
    let world = World::new();
    world.bus.emit(Unpaid);

    world.time.advance(HOUR);
    assert_eq!(stats(&world.bus, "charge").in_backoff, 1);
    world.time.advance(HOUR);

    assert_eq!(world.log.take(), ["charged"]);
    let stats = stats(&world.bus, "charge");
    assert_eq!((stats.retried, stats.delivered), (2, 1));
    assert_eq!(world.time.elapsed(), 2 * HOUR);
}

#[test]
fn a_full_queue_makes_room_for_who_emits_on_the_home_thread() {
    let world = World::new();

    let queued: usize = (0..5)
        .map(|_| world.bus.emit(Hurried).report().queued())
        .sum();
    world.time.run_until_stalled();

    assert_eq!(queued, 5);
    assert_eq!(world.log.take(), ["hurried"; 5]);
    assert_eq!(stats(&world.bus, "hurry").high_water, 1);
    assert_eq!(world.time.elapsed(), Duration::ZERO);
}

#[test]
fn a_full_queue_makes_room_for_who_awaits_on_the_home_thread() {
    let world = World::new();

    block_on(async {
        for _ in 0..5 {
            assert_eq!(world.bus.emit(Hurried).await.queued(), 1);
        }
    });
    world.time.run_until_stalled();

    assert_eq!(world.log.take(), ["hurried"; 5]);
}

#[test]
fn a_delivery_still_does_not_wait_for_room() {
    let world = World::new();
    world.bus.emit(Greedy);

    world.time.run_until_stalled();

    assert_eq!(world.failures(), [FailureKind::QueueFull]);
    assert_eq!(world.log.take(), ["hurried"]);
}

#[test]
fn two_queues_take_turns_of_one_item() {
    let world = World::new();
    (0..3).for_each(|number| drop(world.bus.emit(Shared(number))));

    world.time.run_until_stalled();

    assert_eq!(
        world.log.take(),
        [
            "left 0", "right 0", "left 1", "right 1", "left 2", "right 2"
        ]
    );
}

#[test]
fn seeds_find_other_orders_of_two_queues() {
    let run = |seed| {
        let world = World::of(VirtualRuntime::seeded(seed));
        (0..3).for_each(|number| drop(world.bus.emit(Shared(number))));
        world.time.run_until_stalled();
        world.log.take()
    };

    let orders: Vec<_> = (0..8).map(run).collect();

    assert_eq!(orders, (0..8).map(run).collect::<Vec<_>>());
    assert!(orders.iter().any(|order| *order != orders[0]));
    for order in orders {
        let of = |side: &str| -> Vec<_> {
            (order.iter().filter(|line| line.starts_with(side)).cloned()).collect()
        };
        assert_eq!(of("left"), ["left 0", "left 1", "left 2"]);
        assert_eq!(of("right"), ["right 0", "right 1", "right 2"]);
    }
}

#[test]
fn a_slow_plain_listener_takes_virtual_time_from_the_others() {
    let world = World::new();
    world.bus.emit(Slow(3));
    (0..2).for_each(|_| drop(world.bus.emit(Costly)));

    world.time.run_until_stalled();
    assert_eq!(world.log.take(), ["at 2s", "at 4s"]);

    // Its sleep of 3 s is late by one.
    world.time.advance(Duration::ZERO);
    assert_eq!(world.log.take(), ["after 3"]);
}

#[test]
fn a_listener_that_panics_is_a_failure_of_its_own() {
    let world = World::new();
    world.bus.emit(Broken(true));
    world.bus.emit(Broken(false));

    world.time.run_until_stalled();

    assert_eq!(world.failures(), [FailureKind::Panic]);
    assert_eq!(world.log.take(), ["whole"]);
    assert_eq!(stats(&world.bus, "breaks").failed, 1);
}

#[test]
fn queues_run_on_threads_where_that_is_asked_for() {
    let world = World::of(VirtualRuntime::new().real_threads());
    world.bus.emit(Elsewhere);

    let shutdown = world.bus.shutdown_blocking(HOUR).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(world.log.take(), ["true"]);
    assert_eq!(world.time.elapsed(), Duration::ZERO);

    let world = World::new();
    world.bus.emit(Elsewhere);
    world.time.run_until_stalled();
    assert_eq!(world.log.take(), ["false"]);
}

#[test]
fn threads_retry_in_virtual_time_too() {
    let world = World::of(VirtualRuntime::new().real_threads());
    world.bus.emit(Unpaid);

    let shutdown = world.bus.shutdown_blocking(HOUR).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(world.log.take(), ["charged"]);
    assert_eq!(world.time.elapsed(), 2 * HOUR);
}
