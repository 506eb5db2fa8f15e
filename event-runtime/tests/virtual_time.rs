//! The clock of a virtual runtime.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use event_core::Runtime;
use event_runtime::VirtualRuntime;
use futures::future::join;

const SECOND: Duration = Duration::from_secs(1);

type Log = Arc<Mutex<Vec<(&'static str, Duration)>>>;

fn noted(log: &Log) -> Vec<(&'static str, Duration)> {
    std::mem::take(&mut *log.lock().unwrap())
}

fn sleep(time: &VirtualRuntime, wait: Duration) -> impl Future<Output = ()> + Send + use<> {
    time.sleep_until(time.now() + wait)
}

/// Writes the name and the time down after each of some waits.
fn walk(time: &VirtualRuntime, log: &Log, name: &'static str, waits: &'static [u64]) {
    let (log, time) = (Arc::clone(log), time.clone());
    let spawner = time.clone();
    spawner.spawn(Box::pin(async move {
        for wait in waits {
            sleep(&time, Duration::from_millis(*wait)).await;
            log.lock().unwrap().push((name, time.elapsed()));
        }
    }));
}

fn at(name: &'static str, millis: u64) -> (&'static str, Duration) {
    (name, Duration::from_millis(millis))
}

#[test]
fn timers_of_one_time_fire_in_the_order_in_which_they_were_set() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    walk(&time, &log, "a", &[10]);
    walk(&time, &log, "b", &[5, 5]);
    walk(&time, &log, "c", &[10]);

    time.advance(SECOND);

    // `b` sets its second timer only at 5.
    assert_eq!(
        noted(&log),
        [at("b", 5), at("a", 10), at("c", 10), at("b", 10)]
    );
}

#[test]
fn ten_sleeps_of_a_second_take_a_second() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    (0..10).for_each(|_| walk(&time, &log, "task", &[1000]));

    time.block_on(sleep(&time, SECOND));

    assert_eq!(noted(&log), [at("task", 1000); 10]);
    assert_eq!(time.elapsed(), SECOND);
}

#[test]
fn many_small_steps_are_one_big_one() {
    let run = |steps: u32| {
        let time = VirtualRuntime::new();
        let log = Log::default();
        walk(&time, &log, "a", &[1, 7, 100, 250]);
        walk(&time, &log, "b", &[8, 100, 250]);
        walk(&time, &log, "c", &[333, 333, 333, 333]);
        (0..steps).for_each(|_| time.advance(SECOND / steps));
        assert_eq!(time.elapsed(), SECOND);
        noted(&log)
    };

    let big = run(1);

    assert_eq!(big.len(), 10);
    assert_eq!(run(10), big);
    assert_eq!(run(1000), big);
}

#[test]
fn an_advance_ends_exactly_there_and_fires_what_is_due_then() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    walk(&time, &log, "in time", &[1000]);
    walk(&time, &log, "late", &[1001]);

    time.advance(SECOND);

    assert_eq!(noted(&log), [at("in time", 1000)]);
    assert_eq!(time.elapsed(), SECOND);
    assert_eq!(
        time.next_timer(),
        Some(time.now() + Duration::from_millis(1))
    );
}

#[test]
fn time_that_passed_makes_timers_late_and_never_early() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    walk(&time, &log, "a", &[1000]);
    walk(&time, &log, "b", &[5000]);
    time.run_until_stalled();

    time.pass(Duration::from_secs(3));
    assert!(noted(&log).is_empty());
    time.advance(Duration::ZERO);
    assert_eq!(noted(&log), [at("a", 3000)]);

    time.advance(Duration::from_secs(2));
    assert_eq!(noted(&log), [at("b", 5000)]);
}

#[test]
fn a_timer_that_fires_has_its_task_ready_and_not_run() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    walk(&time, &log, "a", &[10]);
    assert!(!time.fire_next_timer());
    time.run_until_stalled();

    assert!(time.fire_next_timer());

    assert_eq!(time.elapsed(), Duration::from_millis(10));
    assert!(noted(&log).is_empty());
    time.run_until_stalled();
    assert_eq!(noted(&log), [at("a", 10)]);
}

#[test]
fn a_sleep_that_is_dropped_is_no_timer() {
    let time = VirtualRuntime::new();
    let mut asleep = Box::pin(sleep(&time, SECOND));
    time.block_on(async {
        let polled = futures::future::poll_fn(|cx| {
            std::task::Poll::Ready(asleep.as_mut().poll(cx).is_pending())
        });
        assert!(polled.await);
    });
    assert!(time.next_timer().is_some());

    drop(asleep);

    assert_eq!(time.next_timer(), None);
}

#[test]
fn a_sleep_ends_under_any_executor_on_the_home_thread() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    walk(&time, &log, "task", &[100, 100]);

    let waits = join(sleep(&time, SECOND), sleep(&time, SECOND / 2));
    futures::executor::block_on(waits);

    assert_eq!(time.elapsed(), SECOND);
    assert_eq!(noted(&log), [at("task", 100), at("task", 200)]);
}

#[test]
fn another_executor_is_woken_by_what_other_threads_spawn() {
    let time = VirtualRuntime::new();
    let (say, said) = futures::channel::oneshot::channel();
    let elsewhere = time.clone();
    let spawner = thread::spawn(move || {
        elsewhere.spawn(Box::pin(async move {
            // Who waits for it may be gone.
            let _ = say.send(7);
        }));
    });
    // Waits for ever, and runs the tasks meanwhile.
    let helping = time.sleep_until(time.now() + SECOND);
    let other = time.clone();

    let got = futures::executor::block_on(async {
        spawner.join().unwrap();
        join(helping, said).await.1
    });

    assert_eq!(got, Ok(7));
    assert_eq!(other.elapsed(), SECOND);
}

#[test]
fn two_runtimes_have_two_clocks() {
    let [a, b] = [(); 2].map(|()| VirtualRuntime::new());

    a.advance(SECOND);

    assert_eq!((a.elapsed(), b.elapsed()), (SECOND, Duration::ZERO));
}
