//! A process that is forked between an emission and its delivery: the child has the bus and none of its threads.
// What the threads are doing is read from `/proc`.
#![cfg(all(target_os = "linux", feature = "runtime"))]

#[path = "support/child.rs"]
#[allow(dead_code, reason = "no test reads what is printed")]
mod child;

use std::fs;
use std::path::Path;
use std::process::{Stdio, exit};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use child::{is_child, passes_with_stderr};
use fork::{Fork, fork, waitpid};
use futures::executor::block_on;
use tidings::{Bus, FailureKind, Report, event, listener};

const SOON: Duration = Duration::from_secs(60);

#[event]
struct Placed;

#[listener(queue = 1)]
fn book(_: &Placed, done: &AtomicU32) {
    done.fetch_add(1, Ordering::SeqCst);
}

#[listener]
fn count(_: &Placed) {}

#[event]
struct Printed;

#[listener(queue = 1)]
fn file(_: &Printed, open: &Mutex<Receiver<()>>, begin: &Mutex<Sender<()>>) {
    begin.lock().unwrap().send(()).unwrap();
    open.lock().unwrap().recv().unwrap();
}

#[event]
struct Called;

#[listener(timeout = "1ms")]
async fn answer(_: &Called) {
    std::future::pending::<()>().await;
}

struct Fixture {
    bus: Bus,
    open: Sender<()>,
    began: Receiver<()>,
}

fn fixture() -> Fixture {
    let (open, gate) = channel();
    let (sender, began) = channel();
    let bus = Bus::builder()
        .state(AtomicU32::new(0))
        .state(Mutex::new(gate))
        .state(Mutex::new(sender))
        .on_failure(|_| ());
    Fixture {
        bus: bus.build().unwrap(),
        open,
        began,
    }
}

fn until_done(bus: &Bus) {
    while bus
        .queues()
        .iter()
        .all(|(_, figures)| figures.delivered == 0)
    {
        thread::yield_now();
    }
}

/// Waits until our threads sleep, so that none of them holds a lock at the fork.
fn until_parked() {
    let sleeps = |task: &Path| {
        let Ok(status) = fs::read_to_string(task.join("status")) else {
            // It has ended meanwhile.
            return true;
        };
        !status.starts_with("Name:\ttidings:") || status.contains("\nState:\tS")
    };
    let tasks = || fs::read_dir("/proc/self/task").unwrap();
    while !tasks().all(|task| sleeps(&task.unwrap().path())) {
        thread::yield_now();
    }
}

/// What the fork says is its exit code.
fn in_a_fork(check: impl FnOnce() -> bool) {
    match fork().unwrap() {
        Fork::Child => exit(i32::from(!check())),
        Fork::Parent(child) => assert_eq!(waitpid(child).unwrap(), 0),
    }
}

fn kind(report: &Report) -> Option<FailureKind> {
    report.failures().first().map(tidings::Failure::kind)
}

/// Forks this program alone, since other tests would hold locks meanwhile.
fn alone(name: &str, test: impl FnOnce()) {
    if is_child() {
        test();
    } else {
        passes_with_stderr(name, Stdio::inherit());
    }
}

#[test]
fn a_fork_refuses_what_the_threads_of_its_parent_would_deliver() {
    let name = "a_fork_refuses_what_the_threads_of_its_parent_would_deliver";
    alone(name, || {
        let Fixture { bus, .. } = fixture();
        bus.emit(Placed);
        until_done(&bus);
        until_parked();

        in_a_fork(|| {
            let report = bus.emit(Placed).report();
            let other = Bus::builder()
                .without(file)
                .state(AtomicU32::new(0))
                .build()
                .unwrap();
            let own = other.emit(Placed).report();
            // Inline listeners hear it, and a bus of the fork's own has all.
            (report.ran(), report.failed()) == (1, 1)
                && kind(&report) == Some(FailureKind::Forked)
                && report.failures()[0].message().contains("after the fork")
                && (own.ran(), own.queued()) == (1, 1)
                && other.shutdown_blocking(SOON).unwrap().is_clean()
                && bus.shutdown_blocking(SOON).unwrap().is_clean()
        });

        // The parent goes on.
        bus.emit(Placed);
        assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    });
}

#[test]
fn a_fork_does_not_wait_for_room_that_nobody_makes() {
    let name = "a_fork_does_not_wait_for_room_that_nobody_makes";
    alone(name, || {
        let Fixture { bus, open, began } = fixture();
        bus.emit(Printed);
        began.recv().unwrap();
        bus.emit(Printed);
        until_parked();

        in_a_fork(|| {
            let dropped = bus.emit(Printed).report();
            let awaited = block_on(async { bus.emit(Printed).await });
            let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();
            let left = &shutdown.left()[0];
            kind(&dropped) == Some(FailureKind::Forked)
                && kind(&awaited) == Some(FailureKind::Forked)
                && (left.waiting(), left.in_flight().len()) == (1, 1)
        });

        open.send(()).unwrap();
        open.send(()).unwrap();
        assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    });
}

#[test]
fn a_bus_that_has_no_threads_yet_may_be_built_before_the_fork() {
    let name = "a_bus_that_has_no_threads_yet_may_be_built_before_the_fork";
    alone(name, || {
        let Fixture { bus, .. } = fixture();
        in_a_fork(|| {
            bus.emit(Placed).report().queued() == 1
                && bus.shutdown_blocking(SOON).unwrap().is_clean()
        });
    });
}

#[test]
fn timers_go_on_in_a_fork() {
    alone("timers_go_on_in_a_fork", || {
        let Fixture { bus, .. } = fixture();
        let timed_out = |bus: &Bus| {
            let report = block_on(async { bus.emit(Called).await });
            kind(&report) == Some(FailureKind::TimedOut)
        };
        // From here on the thread of the timers runs.
        assert!(timed_out(&bus));
        until_parked();
        in_a_fork(|| timed_out(&bus));
    });
}
