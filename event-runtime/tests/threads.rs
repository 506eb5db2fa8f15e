//! Workers as threads: they end when idle, start again, share a limit and do not stop each other.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use event_runtime::queue::{
    Channel, Config, ParkClock, Retry, StartErrorKind, Step, ThreadStarter, Threads, Verdict,
};
use support::*;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_worker_starts_with_the_first_item_ends_when_idle_and_starts_again() {
    let threads = Threads::new(4, Duration::from_millis(1));
    let (tell, told) = mpsc::channel();
    let queue = on_threads(
        Config::new(4),
        &threads,
        Retry::never(),
        move |_: &[u32], _| {
            let name = std::thread::current().name().map(str::to_owned);
            tell.send((name, std::thread::current().id())).unwrap();
            Verdict::Done
        },
    );
    assert_eq!(threads.running(), 0);

    let mut ids = Vec::new();
    for round in 0..3 {
        accept(&queue, 0, round);
        let (name, id) = told.recv().unwrap();
        assert_eq!(name.as_deref(), Some("tidings:test"));
        ids.push(id);
        while threads.running() > 0 {
            std::thread::yield_now();
        }
        assert_eq!(queue.stats().workers(), 0);
    }

    ids.dedup();
    assert_eq!(ids.len(), 3, "each round had a thread of its own");
}

#[test]
fn queues_that_are_idle_have_no_threads() {
    let threads = Threads::default();
    let queues: Vec<Channel<u32>> = (0..1000)
        .map(|_| {
            on_threads(Config::new(4), &threads, Retry::never(), |_, _| {
                Verdict::Done
            })
        })
        .collect();

    assert_eq!(threads.running(), 0);
    assert!(queues.iter().all(|queue| queue.stats().workers() == 0));
}

#[test]
fn three_queues_make_progress_with_one_thread() {
    // Idle threads would stay for an hour if they did not give way.
    let threads = Threads::new(1, HOUR);
    let queues: Vec<Channel<u32>> = (0..3)
        .map(|_| {
            on_threads(Config::new(1000), &threads, Retry::never(), |_, _| {
                Verdict::Done
            })
        })
        .collect();

    for round in 0..5 {
        for queue in &queues {
            (0..200).for_each(|item| accept(queue, 0, item));
        }
        assert!(threads.running() <= 1);
        for queue in &queues {
            queue.wait_until_idle();
            assert_eq!(queue.stats().delivered(), 200 * (round + 1));
        }
    }
}

#[test]
fn a_busy_queue_gives_way_to_one_that_has_no_thread() {
    let threads = Threads::new(1, HOUR);
    let (tell, told) = mpsc::channel();
    // It always has something to do: every item is followed by another one.
    let again: Arc<std::sync::OnceLock<Channel<u32>>> = Arc::default();
    let to_itself = Arc::clone(&again);
    let busy = on_threads(
        Config::new(4),
        &threads,
        Retry::never(),
        move |_: &[u32], _| {
            if let Some(queue) = to_itself.get() {
                drop(queue.offer(0, 0));
            }
            Verdict::Done
        },
    );
    again.set(busy.clone()).unwrap();
    let other = on_threads(
        Config::new(4),
        &threads,
        Retry::never(),
        move |_: &[u32], _| {
            tell.send(()).unwrap();
            Verdict::Done
        },
    );

    accept(&busy, 0, 0);
    for _ in 0..3 {
        accept(&other, 0, 0);
        told.recv().unwrap();
    }

    busy.close();
    busy.wait_until_idle();
}

#[test]
fn a_job_that_never_ends_leaves_other_queues_alone() {
    let threads = Threads::new(8, HOUR);
    let gate = Arc::new(Gate::default());
    let closed = Arc::clone(&gate);
    let stuck = on_threads(
        Config::new(2),
        &threads,
        Retry::never(),
        move |_: &[u32], _| {
            closed.pass();
            Verdict::Done
        },
    );
    let free = on_threads(Config::new(2), &threads, Retry::never(), |_: &[u32], _| {
        Verdict::Done
    });

    accept(&stuck, 0, 0);
    (0..1000).for_each(|item| offer_patiently(&free, 0, item));
    free.wait_until_idle();

    assert_eq!(
        (free.stats().delivered(), stuck.stats().delivered()),
        (1000, 0)
    );
    gate.open();
    stuck.wait_until_idle();
    assert_eq!(stuck.stats().delivered(), 1);
}

#[test]
fn workers_run_side_by_side_and_a_stuck_one_leaves_the_others_alone() {
    let threads = Threads::new(8, HOUR);
    let gate = Arc::new(Gate::default());
    let (closed, (tell, told)) = (Arc::clone(&gate), mpsc::channel());
    let config = Config::new(100).workers(4);
    let queue = on_threads(config, &threads, Retry::never(), move |items: &[u32], _| {
        if items[0] < 3 {
            closed.pass();
        } else {
            tell.send(items[0]).unwrap();
        }
        Verdict::Done
    });

    (0..50).for_each(|item| accept(&queue, 0, item));
    let ran: Vec<u32> = told.iter().take(47).collect();

    assert!(
        ran.into_iter().eq(3..50),
        "one worker was left, so in order"
    );
    gate.open();
    queue.wait_until_idle();
    assert_eq!(queue.stats().delivered(), 50);
}

#[test]
fn a_queue_without_a_thread_is_reported_once_and_served_when_one_ends() {
    let threads = Threads::new(1, HOUR);
    let gate = Arc::new(Gate::default());
    let closed = Arc::clone(&gate);
    let first = on_threads(
        Config::new(2),
        &threads,
        Retry::never(),
        move |_: &[u32], _| {
            closed.pass();
            Verdict::Done
        },
    );
    let reports = Log::default();
    let seen = reports.clone();
    let job = Call(|_: &[u32], _| Step::Done(Verdict::Done));
    let start = ThreadStarter::new(
        threads.clone(),
        "mail::confirm",
        Arc::new(job),
        Retry::never(),
        move |error| {
            assert!(matches!(
                error.kind(),
                StartErrorKind::Exhausted { limit: 1 }
            ));
            seen.add(error.to_string());
        },
    );
    let second: Channel<u32> = Channel::new(Config::new(8), Arc::new(ParkClock), Arc::new(start));

    accept(&first, 0, 0);
    (0..5).for_each(|item| accept(&second, 0, item));
    assert_eq!(second.stats().depth(), 5);
    gate.open();
    second.wait_until_idle();

    assert_eq!(second.stats().delivered(), 5);
    assert_eq!(
        reports.take(),
        [
            "no thread could be started for the queue of listener `mail::confirm`: all 1 threads of the bus are in use"
        ]
    );
}

#[test]
fn a_thread_waits_for_a_retry_and_counts_a_panic_as_failed() {
    let threads = Threads::default();
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let retry = every(2, Duration::from_micros(100));
    let queue = on_threads(
        Config::new(8),
        &threads,
        retry,
        move |items: &[u32], attempt| {
            counter.fetch_add(1, Ordering::SeqCst);
            match items[0] {
                0 if attempt.last => Verdict::Done,
                0 => Verdict::Retry,
                1 => std::panic::resume_unwind(Box::new("a panic that the job let out")),
                _ => Verdict::Done,
            }
        },
    );

    (0..3).for_each(|item| accept(&queue, 0, item));
    queue.wait_until_idle();

    let stats = queue.stats();
    assert_eq!(
        (stats.delivered(), stats.failed(), stats.retried()),
        (2, 1, 2)
    );
    assert_eq!((runs.load(Ordering::SeqCst), stats.workers()), (5, 1));
    check(stats);
}
