//! The order in which items run, the place that a retry keeps, and batches.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_runtime::queue::{Config, Retry, Step, Threads, Verdict};
use support::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_worker_runs_items_in_their_order() {
    let log = Log::default();
    let seen = log.clone();
    let threads = Threads::default();
    let queue = on_threads(
        Config::new(16),
        &threads,
        Retry::never(),
        move |items: &[u32], _| {
            seen.add(items[0]);
            Verdict::Done
        },
    );

    for item in 0..10_000 {
        offer_patiently(&queue, 0, item);
    }
    queue.wait_until_idle();

    assert!(log.take().into_iter().eq(0..10_000));
    assert_eq!(queue.stats().delivered(), 10_000);
    queue.close();
}

#[test]
fn items_of_a_key_keep_their_order_and_never_overlap_whatever_the_schedule() {
    const KEYS: u64 = 5;
    for seed in 0..300 {
        let hand = Hand::new(seed);
        let (log, busy) = (
            Log::default(),
            Arc::new([(); 5].map(|()| AtomicBool::new(false))),
        );
        let (seen, chance, is_busy) = (log.clone(), Arc::clone(&hand), Arc::clone(&busy));
        let config = Config::new(8).workers(8).keyed();
        let retry = every(2, Duration::from_millis(seed % 3));
        let queue = on_tasks(
            config,
            &hand,
            retry,
            move |items: &[(u64, u32)], attempt| {
                let (key, number) = items[0];
                let at = usize::try_from(key).unwrap();
                assert!(
                    !is_busy[at].swap(true, Ordering::SeqCst),
                    "seed {seed}: key {key}"
                );
                let (seen, is_busy) = (seen.clone(), Arc::clone(&is_busy));
                let again = !attempt.last && chance.chance(4) == 0;
                let mut polls = chance.chance(4);
                Step::Later(Box::pin(std::future::poll_fn(move |cx| {
                    if polls > 0 {
                        polls -= 1;
                        cx.waker().wake_by_ref();
                        return std::task::Poll::Pending;
                    }
                    is_busy[at].store(false, Ordering::SeqCst);
                    std::task::Poll::Ready(if again {
                        Verdict::Retry
                    } else {
                        seen.add((key, number));
                        Verdict::Done
                    })
                })))
            },
        );

        let mut sent = [0; 5];
        while sent.iter().sum::<u32>() < 100 {
            let key = hand.chance(KEYS);
            let number = &mut sent[usize::try_from(key).unwrap()];
            match queue.offer(key, (key, *number)) {
                Ok(_) => *number += 1,
                Err(_) => drop(hand.step()),
            }
            if hand.chance(2) == 0 {
                hand.step();
            }
            hand.advance(Duration::from_millis(1));
            check(queue.stats());
            assert!(queue.stats().depth() <= 8);
        }
        while poll_once(&mut queue.idle()).is_pending() {
            hand.run();
            hand.advance(Duration::from_millis(1));
        }

        let log = log.take();
        for (key, sent) in (0..).zip(sent) {
            let of_key = log
                .iter()
                .filter(|(it, _)| *it == key)
                .map(|(_, number)| *number);
            assert!(of_key.eq(0..sent), "seed {seed}: key {key}: {log:?}");
        }
        check(queue.stats());
        assert_eq!(queue.stats().delivered(), 100);
        assert_eq!(hand.tasks(), 0, "a task ends when there is nothing to do");
    }
}

#[test]
fn with_keys_a_retry_holds_only_its_key_back() {
    let hand = Hand::new(0);
    let log = Log::default();
    let seen = log.clone();
    let queue = on_tasks(
        Config::new(8).keyed(),
        &hand,
        every(3, SECOND),
        move |items: &[&'static str], attempt| {
            seen.add((items[0], attempt.number));
            Step::Done(if items[0] == "a1" && attempt.number < 2 {
                Verdict::Retry
            } else {
                Verdict::Done
            })
        },
    );

    for (key, item) in [(1, "a1"), (1, "a2"), (2, "b1"), (2, "b2")] {
        accept(&queue, key, item);
    }
    hand.run();
    let stats = queue.stats();
    accept(&queue, 3, "c1");
    hand.run();
    let before = log.take();
    hand.advance(SECOND);
    hand.run();
    let second = log.take();
    hand.advance(SECOND);
    hand.run();

    assert_eq!(before, [("a1", 0), ("b1", 0), ("b2", 0), ("c1", 0)]);
    assert_eq!(
        (stats.in_backoff(), stats.depth(), stats.delivered()),
        (1, 1, 2)
    );
    assert_eq!(second, [("a1", 1)]);
    assert_eq!(log.take(), [("a1", 2), ("a2", 0)]);
    assert_eq!((queue.stats().retried(), queue.stats().delivered()), (2, 5));
    assert_eq!(hand.tasks(), 0);
    check(queue.stats());
}

#[test]
fn without_keys_a_retry_holds_its_worker_back_and_others_go_on() {
    let hand = Hand::new(0);
    let log = Log::default();
    let seen = log.clone();
    let queue = on_tasks(
        Config::new(8).workers(2),
        &hand,
        every(1, SECOND),
        move |items: &[u32], attempt| {
            seen.add((items[0], attempt.number));
            Step::Done(if items[0] < 2 {
                Verdict::Retry
            } else {
                Verdict::Done
            })
        },
    );

    accept(&queue, 0, 0);
    hand.run();
    (5..8).for_each(|item| accept(&queue, 0, item));
    hand.run();
    let others = log.take();
    accept(&queue, 0, 1);
    hand.run();
    accept(&queue, 0, 9);
    hand.run();
    let both_wait = (log.take(), queue.stats());
    hand.advance(SECOND);
    hand.run();

    assert_eq!(others, [(0, 0), (5, 0), (6, 0), (7, 0)]);
    assert_eq!(both_wait.0, [(1, 0)]);
    assert_eq!((both_wait.1.in_backoff(), both_wait.1.depth()), (2, 1));
    let mut rest = log.take();
    rest.sort_unstable();
    assert_eq!(rest, [(0, 1), (1, 1), (9, 0)]);
    assert_eq!((queue.stats().failed(), queue.stats().retried()), (2, 2));
    check(queue.stats());
}

#[test]
fn another_worker_takes_up_a_retry_while_the_first_one_is_busy() {
    let hand = Hand::new(0);
    let log = Log::default();
    let seen = log.clone();
    let queue = on_tasks(
        Config::new(8).workers(2).keyed(),
        &hand,
        every(1, SECOND),
        move |items: &[&'static str], attempt| {
            seen.add(items[0]);
            match items[0] {
                "retried" if !attempt.last => Step::Done(Verdict::Retry),
                "stuck" => Step::Later(Box::pin(std::future::pending())),
                _ => Step::Done(Verdict::Done),
            }
        },
    );
    accept(&queue, 1, "retried");
    accept(&queue, 2, "stuck");
    hand.run();
    log.take();

    hand.advance(SECOND);
    hand.run();

    assert_eq!(log.take(), ["retried"]);
    assert_eq!(queue.stats().in_flight(), 1);
}

#[test]
fn a_batch_is_what_is_there_up_to_its_size() {
    let hand = Hand::new(0);
    let log = Log::default();
    let seen = log.clone();
    let queue = on_tasks(
        Config::new(100).batch(4),
        &hand,
        every(1, SECOND),
        move |items: &[u32], attempt| {
            seen.add((items.to_vec(), attempt.last));
            Step::Done(if items[0] == 4 {
                Verdict::Retry
            } else {
                Verdict::Skipped
            })
        },
    );

    (0..6).for_each(|item| accept(&queue, 0, item));
    hand.run();
    let waiting = queue.stats();
    hand.advance(SECOND);
    hand.run();

    assert_eq!(
        log.take(),
        [
            (vec![0, 1, 2, 3], false),
            (vec![4, 5], false),
            (vec![4, 5], true)
        ]
    );
    assert_eq!((waiting.skipped(), waiting.in_backoff()), (4, 2));
    assert_eq!((queue.stats().failed(), queue.stats().retried()), (2, 2));
    check(queue.stats());
}
