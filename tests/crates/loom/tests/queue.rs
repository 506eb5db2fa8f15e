//! Emitters, workers and waiters of a queue at once: every interleaving that loom finds within a bound, over the runtime's own `channel`.
#![cfg(tidings_loom)]

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the models use a part of the channel"
)]
#[path = "../../../../event-runtime/src/queue/channel/mod.rs"]
mod channel;
#[allow(unreachable_pub, reason = "it is public in its own crate")]
#[path = "../../../../event-runtime/src/clock.rs"]
mod clock;
#[allow(dead_code, reason = "not everything is needed here")]
#[path = "../../../../event-runtime/src/queue/quiet.rs"]
mod quiet;
#[path = "../../../../event-runtime/src/sync.rs"]
mod sync;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use channel::{Channel, Config, Outcome, QueueStats, Refused, Start, Worker};
use clock::{Clock, Sleep};
use loom::future::block_on;
use loom::thread;

/// Time stands still.
struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0
    }

    fn sleep_until(&self, _: Instant) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}

/// Keeps the workers that were asked for, to be run by the model.
#[derive(Clone, Default)]
struct Hired(Arc<Mutex<Vec<Worker<u32>>>>);

impl Hired {
    fn take(&self) -> Option<Worker<u32>> {
        self.0.lock().unwrap().pop()
    }
}

impl Start<u32> for Hired {
    fn start(&self, worker: Worker<u32>) {
        self.0.lock().unwrap().push(worker);
    }
}

fn queue(config: Config) -> (Channel<u32>, Hired) {
    let hired = Hired::default();
    let clock = Arc::new(Still(Instant::now()));
    let channel = Channel::new(config, clock, Arc::new(hired.clone()));
    (channel, hired)
}

/// Every interleaving with at most this many switches where none is needed.
fn model(switches: usize, check: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.check(check);
}

/// Takes items, up to `most` of them; says which.
fn work(mut worker: Worker<u32>, most: usize, may_end: bool) -> Vec<u32> {
    let may_end = || may_end;
    let mut seen = Vec::new();
    while seen.len() < most && (worker.take_on() || block_on(worker.next(&may_end))) {
        seen.extend_from_slice(worker.at_work().0);
        worker.finish(Outcome::Delivered);
    }
    seen
}

fn offer_patiently(channel: &Channel<u32>, key: u64, item: u32) -> bool {
    match channel.offer(key, item) {
        Ok(accepted) => {
            assert!(accepted.displaced.is_none());
            true
        }
        Err(Refused::Full(item)) => block_on(channel.wait(key, item)).is_ok(),
        Err(_) => false,
    }
}

/// Runs whoever was asked for until there is nobody left.
fn finish(hired: &Hired) -> Vec<u32> {
    let mut seen = Vec::new();
    while let Some(worker) = hired.take() {
        seen.extend(work(worker, usize::MAX, true));
    }
    seen
}

fn assert_done(stats: QueueStats, delivered: u64) {
    let moving = stats.depth() + stats.in_flight() + stats.in_backoff() + stats.workers();
    assert_eq!((stats.delivered(), moving), (delivered, 0), "{stats:?}");
}

#[test]
fn a_worker_that_waits_is_woken_by_an_offer() {
    for config in [Config::new(2), Config::new(2).keyed()] {
        model(3, move || {
            let (channel, hired) = queue(config);
            assert!(offer_patiently(&channel, 0, 0));
            let worker = hired.take().unwrap();
            let other = thread::spawn(move || work(worker, 3, false));

            assert!(offer_patiently(&channel, 0, 1));
            assert!(offer_patiently(&channel, 1, 2));

            let mut seen = other.join().unwrap();
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2]);
            assert_done(channel.stats(), 3);
        });
    }
}

#[test]
fn an_item_that_comes_while_the_last_worker_ends_is_not_stranded() {
    for config in [Config::new(2), Config::new(2).keyed()] {
        model(3, move || {
            let (channel, hired) = queue(config);
            assert!(offer_patiently(&channel, 0, 0));
            let worker = hired.take().unwrap();
            let other = thread::spawn(move || work(worker, usize::MAX, true));

            assert!(offer_patiently(&channel, 0, 1));

            let mut seen = other.join().unwrap();
            seen.extend(finish(&hired));
            assert_eq!(seen, [0, 1]);
            assert_done(channel.stats(), 2);
        });
    }
}

#[test]
fn two_workers_of_one_key_keep_its_order() {
    model(3, || {
        let (channel, hired) = queue(Config::new(4).keyed().workers(2));
        assert!(offer_patiently(&channel, 0, 0));
        let worker = hired.take().unwrap();
        let other = thread::spawn(move || work(worker, usize::MAX, true));

        assert!(offer_patiently(&channel, 0, 1));
        assert!(offer_patiently(&channel, 1, 2));
        let mine = finish(&hired);

        let theirs = other.join().unwrap();
        let rest = finish(&hired);
        let mut all = [&*mine, &*theirs, &*rest].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
        assert_done(channel.stats(), 3);
    });
}

#[test]
fn emitters_that_wait_for_room_get_it() {
    for config in [Config::new(1), Config::new(1).keyed()] {
        model(2, move || {
            let (channel, hired) = queue(config);
            assert!(offer_patiently(&channel, 0, 0));
            let worker = hired.take().unwrap();
            let worker = thread::spawn(move || work(worker, 3, false));
            let theirs = channel.clone();
            let emitter = thread::spawn(move || offer_patiently(&theirs, 0, 1));

            assert!(offer_patiently(&channel, 0, 2));

            assert!(emitter.join().unwrap());
            assert_eq!(worker.join().unwrap().len(), 3);
            assert_done(channel.stats(), 3);
        });
    }
}

#[test]
fn a_waiter_that_gives_up_leaves_its_place_to_the_next() {
    model(3, || {
        let (channel, hired) = queue(Config::new(1));
        assert!(offer_patiently(&channel, 0, 0));
        let worker = hired.take().unwrap();
        let mut gives_up = channel.wait(0, 9);
        let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(&mut gives_up).poll(cx).is_pending());
        let worker = thread::spawn(move || work(worker, usize::MAX, false));
        let theirs = channel.clone();
        let emitter = thread::spawn(move || offer_patiently(&theirs, 0, 1));

        let left = gives_up.leave();

        assert!(emitter.join().unwrap());
        channel.close();
        let mut seen = worker.join().unwrap();
        seen.extend(finish(&hired));
        // It was let in before it left, or not at all; the other one came later.
        let expected: &[u32] = if left.is_some() { &[0, 1] } else { &[0, 9, 1] };
        assert_eq!(seen, expected);
    });
}

#[test]
fn an_offer_beside_a_close_is_refused_or_runs() {
    for config in [Config::new(1), Config::new(1).keyed()] {
        model(3, move || {
            let (channel, hired) = queue(config);
            assert!(offer_patiently(&channel, 0, 0));
            let worker = hired.take().unwrap();
            let worker = thread::spawn(move || work(worker, usize::MAX, false));
            let theirs = channel.clone();
            let emitter = thread::spawn(move || offer_patiently(&theirs, 0, 1));

            channel.close();

            let accepted = emitter.join().unwrap();
            let mut seen = worker.join().unwrap();
            seen.extend(finish(&hired));
            assert_eq!(seen.len(), 1 + usize::from(accepted));
            assert_done(channel.stats(), 1 + u64::from(accepted));
        });
    }
}

#[test]
fn idle_is_told_after_the_last_item() {
    model(3, || {
        let (channel, hired) = queue(Config::new(2));
        assert!(offer_patiently(&channel, 0, 0));
        let worker = hired.take().unwrap();
        let worker = thread::spawn(move || work(worker, usize::MAX, true));

        block_on(channel.idle());

        assert_eq!(channel.stats().delivered(), 1);
        worker.join().unwrap();
    });
}

#[test]
fn what_is_abandoned_does_not_run() {
    model(3, || {
        let (channel, hired) = queue(Config::new(2));
        assert!(offer_patiently(&channel, 0, 0));
        assert!(offer_patiently(&channel, 0, 1));
        let worker = hired.take().unwrap();
        let worker = thread::spawn(move || work(worker, usize::MAX, true));

        let left = channel.abandon();

        let mut all = worker.join().unwrap();
        all.extend(left);
        assert_eq!(all, [0, 1]);
        block_on(channel.idle());
    });
}
