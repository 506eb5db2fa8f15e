//! What an awaited emission allocates, in the awaiting task and on a runtime.
#![cfg(feature = "tokio")]

use std::future::poll_fn;
use std::hint::black_box;
use std::task::Poll;

use allocation_counter::measure;
use tidings::{Bus, Event, event, listener};
use tokio::runtime::{Builder, Runtime};

#[event]
struct Single(u64);

#[listener]
async fn hear(e: &Single) {
    black_box(e.0);
}

#[event]
struct Slow(u64);

#[listener]
async fn hear_later(e: &Slow) {
    let mut again = true;
    // A runtime's own way to yield may allocate.
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::take(&mut again) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    black_box(e.0);
}

#[event]
struct Paid(u64);

#[event]
struct Before;

#[listener]
async fn hear_before(_: &Before) {}

macro_rules! ready {
    ($($name:ident)*) => {$(
        #[listener]
        async fn $name(e: &Paid) {
            black_box(e.0);
        }
    )*};
}

ready! { p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 }

/// What the first emission, and each one after a hundred, allocates.
fn allocations<E: Event>(
    bus: &Bus,
    runtime: &Runtime,
    event: impl Fn() -> E,
    ran: usize,
) -> [u64; 2] {
    let emission = || {
        let report = runtime.block_on(bus.emit(event()).into_future());
        assert_eq!(report.ran(), ran);
    };
    // What the process and the thread allocate once is not the emission's.
    assert_eq!(runtime.block_on(bus.emit(Before).into_future()).ran(), 1);
    let cold = measure(emission);
    (0..100).for_each(|_| emission());
    let warm = measure(|| (0..100).for_each(|_| emission()));
    assert_eq!(warm.count_current, 0, "nothing stays");
    [cold.count_total, warm.count_total / 100]
}

/// What was reached holds. The aim in the awaiting task is 2 and one for each listener at first, and 2 later.
fn at_most(counted: [u64; 2], reached: [u64; 2]) {
    let holds = counted
        .iter()
        .zip(reached)
        .all(|(count, most)| *count <= most);
    assert!(holds, "first and later {counted:?}, at most {reached:?}");
}

#[test]
fn an_emission_awaited_in_its_task_allocates_each_future_once_and_later_only_the_event() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let bus = Bus::builder().build().unwrap();

    // The event, the list of deliveries and what holds it, and each future.
    at_most(allocations(&bus, &runtime, || Single(1), 1), [4, 1]);
    at_most(allocations(&bus, &runtime, || Paid(1), 10), [13, 1]);
}

#[test]
fn a_future_that_was_not_ready_at_once_is_allocated_anew_and_nothing_else_is() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let bus = Bus::builder().build().unwrap();

    // The listener's turns and their free places, and the list of what is pending are among the first.
    at_most(allocations(&bus, &runtime, || Slow(1), 1), [7, 3]);
}

#[test]
fn an_emission_awaited_on_a_runtime_allocates_three_times_a_listener_and_little_more() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let builder = Bus::builder().runtime(runtime.handle().clone());
    let bus = builder.build().unwrap();

    at_most(allocations(&bus, &runtime, || Single(1), 1), [9, 5]);
    at_most(allocations(&bus, &runtime, || Paid(1), 10), [54, 32]);
}
