//! The end of a queue, of its waiters, of its tasks and of its items.

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use event_runtime::queue::{Channel, Config, Overflow, Refused, Retry, Step, Threads, Verdict};
use support::*;

fn done(_: &[u32], _: event_runtime::queue::Attempt) -> Step<'static> {
    Step::Done(Verdict::Done)
}

fn stuck(_: &[u32], _: event_runtime::queue::Attempt) -> Step<'static> {
    Step::Later(Box::pin(std::future::pending()))
}

#[test]
fn a_closed_queue_takes_nothing_and_runs_what_it_has() {
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(4), &hand, Retry::never(), done);
    (0..3).for_each(|item| accept(&queue, 0, item));

    queue.close();
    let refused = queue.offer(0, 3);
    hand.run();

    assert!(matches!(refused, Err(Refused::Closed(3))));
    assert!(queue.is_closed());
    assert_eq!((queue.stats().delivered(), queue.stats().offered()), (3, 3));
    check(queue.stats());
}

#[test]
fn closing_wakes_whoever_waits_for_room() {
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(1), &hand, Retry::never(), stuck);
    accept(&queue, 0, 0);
    let (flag, mut room) = (Arc::new(Flag::default()), queue.wait(0, 1));
    assert!(flag.poll(&mut room).is_pending());

    queue.close();

    assert!(flag.is_up());
    assert_eq!(flag.poll(&mut room), Poll::Ready(Err(1)));
    assert_eq!(queue.wait_here(0, 2), Err(2));
}

#[test]
fn abandoned_items_come_back_in_order_and_what_runs_goes_on() {
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(8).batch(2), &hand, Retry::never(), stuck);
    (0..2).for_each(|item| accept(&queue, 0, item));
    hand.run();
    (2..6).for_each(|item| accept(&queue, 0, item));

    queue.close();
    let left = queue.abandon();

    assert_eq!(left, [2, 3, 4, 5]);
    let stats = queue.stats();
    assert_eq!(
        (stats.abandoned(), stats.in_flight(), stats.depth()),
        (4, 2, 0)
    );
    check(stats);
}

#[test]
fn abandoning_ends_retries_with_and_without_keys() {
    for config in [Config::new(8), Config::new(8).keyed()] {
        let hand = Hand::new(0);
        let retry = every(5, Duration::from_secs(3600));
        let queue = on_tasks(config, &hand, retry, |_: &[u32], _| {
            Step::Done(Verdict::Retry)
        });
        (0..3).for_each(|item| accept(&queue, 7, item));
        hand.run();
        let mut idle = queue.idle();
        assert!(poll_once(&mut idle).is_pending());

        queue.close();
        let left = queue.abandon();
        hand.run();

        assert_eq!(left, [0, 1, 2]);
        assert!(poll_once(&mut idle).is_ready());
        assert_eq!(hand.tasks(), 0);
        check(queue.stats());
    }
}

#[test]
fn idle_comes_with_the_last_item() {
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(8), &hand, Retry::never(), done);
    let (flag, mut idle) = (Arc::new(Flag::default()), queue.idle());
    accept(&queue, 0, 0);
    accept(&queue, 0, 1);
    assert!(flag.poll(&mut idle).is_pending());
    assert!(!flag.is_up());

    hand.run();

    assert!(flag.is_up());
    assert!(flag.poll(&mut idle).is_ready());
    assert!(poll_once(&mut queue.idle()).is_ready());
}

/// Runs one item at a time, whenever the test says so.
fn stepwise(hand: &Arc<Hand>, capacity: usize) -> Channel<u32> {
    on_tasks(
        Config::new(capacity),
        hand,
        Retry::never(),
        |_: &[u32], _| {
            let mut polls = 1;
            Step::Later(Box::pin(std::future::poll_fn(move |cx| {
                cx.waker().wake_by_ref();
                polls -= 1;
                if polls < 0 {
                    Poll::Ready(Verdict::Done)
                } else {
                    Poll::Pending
                }
            })))
        },
    )
}

#[test]
fn each_place_wakes_one_waiter_the_first_one_first() {
    let hand = Hand::new(0);
    let queue = stepwise(&hand, 2);
    accept(&queue, 0, 0);
    accept(&queue, 0, 1);
    let flags = [(); 3].map(|()| Arc::new(Flag::default()));
    let mut rooms = [2, 3, 4].map(|item| queue.wait(0, item));
    for (flag, room) in flags.iter().zip(&mut rooms) {
        assert!(flag.poll(room).is_pending());
    }

    hand.step();
    let first = [0, 1, 2].map(|at: usize| flags[at].is_up());
    hand.step();
    let second = [0, 1, 2].map(|at: usize| flags[at].is_up());

    assert_eq!(first, [true, false, false]);
    assert_eq!(second, [true, true, false]);
}

#[test]
fn a_waiter_that_leaves_gives_its_place_in_the_line_to_the_next() {
    let hand = Hand::new(0);
    let queue = stepwise(&hand, 1);
    accept(&queue, 0, 0);
    let (first, second) = (Arc::new(Flag::default()), Arc::new(Flag::default()));
    let (mut leaves, mut stays) = (queue.wait(0, 1), queue.wait(0, 2));
    assert!(first.poll(&mut leaves).is_pending());
    assert!(second.poll(&mut stays).is_pending());

    assert_eq!(leaves.leave(), Some(1));
    hand.step();

    assert!(second.is_up() && !first.is_up());
    assert_eq!(second.poll(&mut stays), Poll::Ready(Ok(())));
}

#[test]
fn nobody_overtakes_who_waits_for_room() {
    let hand = Hand::new(0);
    let queue = stepwise(&hand, 2);
    accept(&queue, 0, 0);
    accept(&queue, 0, 1);
    let waits = queue.wait(0, 2);
    hand.step();
    // There is room, and the first in line was not told of it yet.
    assert!(matches!(queue.offer(0, 3), Err(Refused::Full(3))));
    let later = queue.wait(0, 4);
    assert_eq!((waits.leave(), later.leave()), (None, Some(4)));
}

#[test]
fn a_waiter_outlives_every_other_handle() {
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(1), &hand, Retry::never(), stuck);
    accept(&queue, 0, 0);
    let (mut room, mut idle) = (queue.wait(0, 1), queue.idle());
    assert!(poll_once(&mut room).is_pending());

    drop(queue);
    hand.end();

    assert!(poll_once(&mut idle).is_pending());
    drop((room, idle));
}

#[test]
fn a_runtime_that_drops_its_tasks_loses_no_count_and_is_given_another_worker() {
    let hand = Hand::new(0);
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let queue = on_tasks(
        Config::new(8),
        &hand,
        Retry::never(),
        move |_: &[u32], _| match counter.fetch_add(1, Ordering::SeqCst) {
            0 => Step::Later(Box::pin(std::future::pending())),
            _ => Step::Done(Verdict::Done),
        },
    );
    (0..3).for_each(|item| accept(&queue, 0, item));
    hand.run();

    hand.end();
    let after = queue.stats();
    accept(&queue, 0, 3);
    hand.run();

    assert_eq!((after.failed(), after.depth(), after.workers()), (1, 2, 1));
    assert_eq!((queue.stats().delivered(), queue.stats().workers()), (3, 0));
    check(queue.stats());
}

#[test]
fn a_dropped_task_leaves_its_retry_to_the_next_one() {
    for config in [Config::new(8), Config::new(8).keyed()] {
        let hand = Hand::new(0);
        let retry = every(1, Duration::from_secs(1));
        let queue = on_tasks(config, &hand, retry, |_: &[u32], attempt| {
            Step::Done(if attempt.last {
                Verdict::Done
            } else {
                Verdict::Retry
            })
        });
        accept(&queue, 0, 0);
        hand.run();
        hand.end();
        check(queue.stats());
        assert_eq!(queue.stats().in_backoff(), 1);

        hand.run();
        hand.advance(Duration::from_secs(1));
        hand.run();

        assert_eq!((queue.stats().retried(), queue.stats().delivered()), (1, 1));
        check(queue.stats());
    }
}

/// Panics when it ends, after it offered itself anew.
struct Nasty {
    again: u32,
    queue: Channel<Nasty>,
}

impl Drop for Nasty {
    fn drop(&mut self) {
        let stats = self.queue.stats();
        check(stats);
        if self.again > 0 {
            let next = Nasty {
                again: self.again - 1,
                queue: self.queue.clone(),
            };
            drop(self.queue.offer(0, next));
        }
        std::panic::resume_unwind(Box::new("the end of an item"));
    }
}

#[test]
fn an_item_whose_drop_panics_or_uses_the_queue_does_no_harm() {
    let threads = Threads::default();
    let config = Config::new(4).overflow(Overflow::DropNewest);
    let queue = on_threads(config, &threads, Retry::never(), |_: &[Nasty], _| {
        Verdict::Done
    });
    let item = Nasty {
        again: 20,
        queue: queue.clone(),
    };

    assert!(queue.offer(0, item).is_ok());
    // An item ends after it is counted, so the queue is idle once between two of them.
    while queue.stats().delivered() < 21 {
        std::thread::yield_now();
    }
    queue.wait_until_idle();

    assert_eq!(queue.stats().workers(), 1);
    check(queue.stats());
}

#[test]
fn a_future_that_panics_counts_as_failed_and_its_worker_goes_on() {
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(8), &hand, Retry::never(), |items: &[u32], _| {
        let fails = items[0] == 0;
        Step::Later(Box::pin(async move {
            if fails {
                std::panic::resume_unwind(Box::new("a future's panic"));
            }
            Verdict::Done
        }))
    });

    (0..3).for_each(|item| accept(&queue, 0, item));
    hand.run();

    assert_eq!((queue.stats().failed(), queue.stats().delivered()), (1, 2));
}

#[test]
fn waiting_is_possible_on_any_executor() {
    fn is_send<F: Future + Send + 'static>(future: F) -> Pin<Box<F>> {
        Box::pin(future)
    }
    let hand = Hand::new(0);
    let queue = on_tasks(Config::new(1), &hand, Retry::never(), done);

    assert!(poll_once(&mut is_send(queue.idle())).is_ready());
    assert!(poll_once(&mut is_send(queue.wait(0, 1))).is_ready());
}
