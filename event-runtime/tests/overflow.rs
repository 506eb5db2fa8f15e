//! Full queues: every policy, and counts that add up while everything moves.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use event_runtime::queue::{Config, Overflow, Refused, Retry, Step, Threads, Verdict};
use support::*;

/// A queue of two whose job never ends, so that one item runs and two wait.
fn full(overflow: Overflow, config: Config) -> (Arc<Hand>, event_runtime::queue::Channel<u32>) {
    let hand = Hand::new(0);
    let queue = on_tasks(
        config.overflow(overflow),
        &hand,
        Retry::never(),
        |_: &[u32], _| Step::Later(Box::pin(std::future::pending())),
    );
    accept(&queue, 0, 0);
    hand.run();
    accept(&queue, 0, 1);
    accept(&queue, 0, 2);
    (hand, queue)
}

#[test]
fn block_refuses_and_counts_only_what_the_caller_gives_up() {
    let (_hand, queue) = full(Overflow::Block, Config::new(2));

    let refused = queue.offer(0, 3);

    assert!(matches!(refused, Err(Refused::Full(3))));
    assert_eq!((queue.stats().offered(), queue.stats().rejected()), (3, 0));
    queue.reject();
    assert_eq!((queue.stats().offered(), queue.stats().rejected()), (4, 1));
    check(queue.stats());
}

#[test]
fn reject_counts_at_once() {
    let (_hand, queue) = full(Overflow::Reject, Config::new(2));

    let refused = queue.offer(0, 3);

    assert!(matches!(refused, Err(Refused::Full(3))));
    assert_eq!((queue.stats().rejected(), queue.stats().depth()), (1, 2));
    check(queue.stats());
}

#[test]
fn drop_newest_hands_the_new_item_back() {
    let (_hand, queue) = full(Overflow::DropNewest, Config::new(2));

    let refused = queue.offer(0, 3);

    assert!(matches!(refused, Err(Refused::Dropped(3))));
    assert_eq!((queue.stats().dropped(), queue.abandon()), (1, vec![1, 2]));
    check(queue.stats());
}

#[test]
fn drop_oldest_hands_the_oldest_waiting_item_back() {
    for config in [Config::new(2), Config::new(2).keyed()] {
        let (_hand, queue) = full(Overflow::DropOldest, config);

        let displaced = queue.offer(0, 3).unwrap().displaced;

        assert_eq!(displaced, Some(1));
        assert_eq!((queue.stats().dropped(), queue.stats().depth()), (1, 2));
        assert_eq!(queue.stats().high_water(), 2);
        assert_eq!(queue.abandon(), [2, 3]);
        check(queue.stats());
    }
}

#[test]
fn the_oldest_age_is_that_of_what_waits() {
    let (hand, queue) = full(Overflow::DropOldest, Config::new(2));

    hand.advance(Duration::from_secs(3));
    let waited = queue.stats().oldest();
    (3..5).for_each(|item| drop(queue.offer(0, item)));
    hand.advance(Duration::from_secs(1));
    let renewed = queue.stats().oldest();
    drop(queue.abandon());

    assert_eq!(waited, Some(Duration::from_secs(3)));
    assert_eq!(renewed, Some(Duration::from_secs(1)));
    assert_eq!(queue.stats().oldest(), None);
}

static ALIVE: AtomicI64 = AtomicI64::new(0);
static MOST_ALIVE: AtomicI64 = AtomicI64::new(0);

/// An item that counts how many of its kind there are.
struct Counted(u64);

impl Counted {
    fn new(number: u64) -> Self {
        let alive = ALIVE.fetch_add(1, Ordering::SeqCst) + 1;
        MOST_ALIVE.fetch_max(alive, Ordering::SeqCst);
        Self(number)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn the_counts_add_up_and_memory_is_bounded_under_every_policy() {
    const PRODUCERS: u64 = 4;
    const EACH: u64 = 250_000 / 4;
    const CAPACITY: usize = 64;
    let policies = [
        Overflow::Block,
        Overflow::Reject,
        Overflow::DropOldest,
        Overflow::DropNewest,
    ];
    let shapes = [
        Config::new(CAPACITY),
        Config::new(CAPACITY).workers(4).keyed(),
    ];
    for (overflow, shape) in policies
        .into_iter()
        .flat_map(|it| shapes.map(|shape| (it, shape)))
    {
        let threads = Threads::default();
        let ran = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&ran);
        let config = shape.overflow(overflow);
        let job = move |items: &[Counted], _| {
            counter.fetch_add(items.len() as u64, Ordering::Relaxed);
            match items[0].0 % 16 {
                0 => Verdict::Skipped,
                1 => Verdict::Failed,
                _ => Verdict::Done,
            }
        };
        let queue = on_threads(config, &threads, Retry::never(), job);

        let mut turned_away = 0;
        std::thread::scope(|scope| {
            let producers = [(); 4].map(|()| {
                scope.spawn(|| {
                    let mut turned_away = 0;
                    for number in 0..EACH {
                        let item = Counted::new(number);
                        if overflow == Overflow::Block {
                            offer_patiently(&queue, number % 7, item);
                        } else {
                            match queue.offer(number % 7, item) {
                                Ok(accepted) if accepted.displaced.is_none() => {}
                                Ok(_) | Err(_) => turned_away += 1,
                            }
                        }
                        if number % 1000 == 0 {
                            check(queue.stats());
                            assert!(queue.stats().depth() <= CAPACITY);
                        }
                    }
                    turned_away
                })
            });
            turned_away = producers.map(|it| it.join().unwrap()).into_iter().sum();
        });
        queue.wait_until_idle();

        let stats = queue.stats();
        check(stats);
        let ended = stats.delivered() + stats.skipped() + stats.failed();
        assert_eq!(stats.offered(), PRODUCERS * EACH, "{overflow:?}");
        assert_eq!(
            stats.dropped() + stats.rejected(),
            turned_away,
            "{overflow:?}"
        );
        assert_eq!(ended, ran.load(Ordering::Relaxed));
        assert_eq!(ended + turned_away, PRODUCERS * EACH);
        assert!(stats.high_water() <= CAPACITY);
        assert!(stats.skipped() > 0 && stats.failed() > 0);
        queue.close();
    }
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    // What waits, what runs, and what an emitter holds in its hands, new or displaced.
    let bound = CAPACITY as u64 + 4 + 2 * PRODUCERS;
    let most = MOST_ALIVE.load(Ordering::SeqCst);
    assert!(most <= i64::try_from(bound).unwrap(), "{most}");
}
