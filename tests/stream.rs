//! The events of one type as a stream: what it keeps, what it does when it is full, when it ends.
#![cfg(feature = "runtime")]

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join;
use futures::{Stream, StreamExt};
use tidings::{Bus, EventStream, FailureKind, Overflow, VirtualRuntime, event, listener};

const SECOND: Duration = Duration::from_secs(1);

#[event]
struct Measured(u32);

fn now<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What is there without waiting.
fn drain(stream: &mut EventStream<Measured>) -> Vec<u32> {
    let mut there = Vec::new();
    while let Poll::Ready(Some(e)) = now(stream.next()) {
        there.push(e.0);
    }
    there
}

#[test]
fn it_gives_every_event_from_the_call_on_in_order() {
    let bus = Bus::empty();
    bus.emit(Measured(0));
    let mut stream = bus.stream::<Measured>();
    for number in 1..=3 {
        assert_eq!(bus.emit(Measured(number)).report().queued(), 1);
    }

    assert_eq!(drain(&mut stream), [1, 2, 3]);
    assert_eq!(stream.dropped(), 0);
}

#[test]
fn all_streams_share_the_events() {
    let bus = Bus::empty();
    let (mut a, mut b) = (bus.stream::<Measured>(), bus.stream::<Measured>());
    bus.emit(Measured(1));

    let (a, b) = (block_on(a.next()).unwrap(), block_on(b.next()).unwrap());
    assert!(Arc::ptr_eq(&a, &b));
}

#[test]
fn it_is_a_stream_for_the_combinators_of_others() {
    fn is_stream(_: &impl Stream<Item = Arc<Measured>>) {}

    let bus = Bus::empty();
    let stream = bus.stream::<Measured>();
    is_stream(&stream);
    for number in 1..=3 {
        bus.emit(Measured(number));
    }
    drop(bus);

    let sum = block_on(stream.map(|e| e.0).fold(0, |sum, n| async move { sum + n }));
    assert_eq!(sum, 6);
}

#[test]
fn full_without_another_word_an_emission_that_is_not_awaited_fails_and_does_not_park() {
    let bus = Bus::builder().on_failure(|_| ()).build().unwrap();
    let mut stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Measured(1));

    // This very thread takes the events: to park it would be for ever.
    let report = bus.emit(Measured(2)).report();

    assert_eq!(report.failures()[0].kind(), FailureKind::QueueFull);
    assert_eq!(drain(&mut stream), [1]);
}

#[test]
fn full_an_awaited_emission_waits_for_room() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Measured(1));
    let mut second = pin!(bus.emit(Measured(2)).into_future());
    assert!(now(second.as_mut()).is_pending());

    let (report, first) = block_on(join(second, stream.next()));

    assert_eq!(first.map(|e| e.0), Some(1));
    assert_eq!(report.queued(), 1);
    assert_eq!(drain(&mut stream), [2]);
}

#[test]
fn full_awaited_emissions_of_many_threads_lose_nothing() {
    const EACH: u32 = 500;
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>().bounded(2);
    let emitters: Vec<_> = (0..4)
        .map(|emitter| {
            let bus = bus.clone();
            thread::spawn(move || {
                for number in 0..EACH {
                    let report =
                        block_on(bus.emit(Measured(emitter * EACH + number)).into_future());
                    assert_eq!(report.queued(), 1);
                }
            })
        })
        .collect();
    drop(bus);

    let mut got = Vec::new();
    while let Some(e) = block_on(stream.next()) {
        got.push(e.0);
    }
    for emitter in emitters {
        emitter.join().unwrap();
    }

    for emitter in 0..4 {
        let mine = got.iter().filter(|n| **n / EACH == emitter);
        assert!(mine.copied().eq(emitter * EACH..(emitter + 1) * EACH));
    }
}

#[test]
fn an_emission_that_gives_up_waiting_leaves_its_place_to_others() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Measured(1));
    {
        let mut gone = pin!(bus.emit(Measured(2)).into_future());
        assert!(now(gone.as_mut()).is_pending());
    }
    let mut third = pin!(bus.emit(Measured(3)).into_future());
    assert!(now(third.as_mut()).is_pending());

    assert_eq!(drain(&mut stream), [1, 3]);
    assert!(now(third).is_ready());
}

#[test]
fn inside_a_listener_a_full_stream_fails_the_emission() {
    #[event]
    struct Batch;

    #[listener]
    fn read(_: &Batch, cx: tidings::Context<'_>) {
        for number in 0..2 {
            cx.emit(Measured(number));
        }
    }

    let (failures, failed) = mpsc::channel();
    let hook = move |failure: &tidings::Failure| failures.send(failure.kind()).unwrap();
    let bus = Bus::builder().on_failure(hook).build().unwrap();
    let mut stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Batch);

    assert_eq!(failed.recv(), Ok(FailureKind::QueueFull));
    assert_eq!(drain(&mut stream), [0]);
}

#[test]
fn the_other_overflows_keep_what_they_say_and_count_what_they_drop() {
    let cases = [
        (Overflow::Reject, vec![0, 1], 0, (2, 0, 1)),
        (Overflow::DropNewest, vec![0, 1], 1, (2, 1, 0)),
        (Overflow::DropOldest, vec![1, 2], 1, (3, 0, 0)),
    ];
    for (overflow, kept, dropped, counts) in cases {
        let bus = Bus::builder().on_failure(|_| ()).build().unwrap();
        let mut stream = bus.stream::<Measured>().bounded(2).overflow(overflow);
        let mut sums = (0, 0, 0);
        for number in 0..3 {
            let report = block_on(bus.emit(Measured(number)).into_future());
            sums.0 += report.queued();
            sums.1 += report.skipped();
            sums.2 += report.failed();
        }

        assert_eq!(drain(&mut stream), kept, "{overflow}");
        assert_eq!((stream.dropped(), sums), (dropped, counts), "{overflow}");
    }
}

#[test]
fn a_stream_has_room_for_one_event_at_least() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>().bounded(0);
    bus.emit(Measured(1));

    assert_eq!(drain(&mut stream), [1]);
}

#[test]
fn dropped_it_hears_nothing_and_who_waited_for_room_goes_on() {
    let bus = Bus::empty();
    let stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Measured(1));
    let mut second = pin!(bus.emit(Measured(2)).into_future());
    assert!(now(second.as_mut()).is_pending());
    drop(stream);

    let report = block_on(second);
    assert_eq!((report.queued(), report.failed()), (0, 0));
    assert!(!bus.emit(Measured(3)).report().heard());
}

#[test]
fn a_shutdown_ends_it_behind_the_last_event() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>();
    bus.emit(Measured(1));
    bus.shutdown_blocking(SECOND).unwrap();

    assert_eq!(block_on(stream.next()).map(|e| e.0), Some(1));
    assert!(block_on(stream.next()).is_none());
    assert!(block_on(stream.next()).is_none());
}

#[event]
struct Started;

/// Goes on after the shutdown began.
#[listener(queue = 4)]
fn finish(_: &Started) -> Measured {
    Measured(7)
}

#[test]
fn it_hears_what_a_shutdown_still_delivers() {
    let time = VirtualRuntime::new();
    let bus = Bus::builder().runtime(time.clone()).build().unwrap();
    let mut stream = bus.stream::<Measured>();
    bus.emit(Started);
    assert!(block_on(bus.shutdown(SECOND)).unwrap().is_clean());

    assert_eq!(drain(&mut stream), [7]);
    assert!(block_on(stream.next()).is_none());
}

#[test]
fn who_waits_for_room_is_told_when_the_bus_is_shut_down() {
    let bus = Bus::builder().on_failure(|_| ()).build().unwrap();
    let mut stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Measured(1));
    let mut second = pin!(bus.emit(Measured(2)).into_future());
    assert!(now(second.as_mut()).is_pending());
    bus.shutdown_blocking(SECOND).unwrap();

    assert_eq!(block_on(second).failures()[0].kind(), FailureKind::Closed);
    assert_eq!(drain(&mut stream), [1]);
}

#[test]
fn the_end_of_the_last_handle_on_another_thread_ends_it() {
    let bus = Bus::empty();
    let (polled, first_poll) = mpsc::channel();
    let mut stream = bus.stream::<Measured>();
    let ending = thread::spawn(move || {
        first_poll.recv().unwrap();
        bus.emit(Measured(1));
        drop(bus);
    });

    let mut all = Vec::new();
    block_on(async {
        let mut next = pin!(async {
            while let Some(e) = stream.next().await {
                all.push(e.0);
            }
        });
        std::future::poll_fn(|cx| {
            let now = next.as_mut().poll(cx);
            let _ = polled.send(());
            now
        })
        .await;
    });

    assert_eq!(all, [1]);
    ending.join().unwrap();
}

#[test]
fn what_waits_for_room_is_let_in_in_the_order_of_the_emissions() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>().bounded(2);
    let emitted = (0..200).map(|number| bus.emit(Measured(number)).into_future());
    let mut emitted: Vec<_> = emitted.collect();
    // Polled the other way round, and some are dropped while they wait.
    emitted.reverse();
    emitted.retain_mut(|emission| now(emission).is_pending());
    let dropped = emitted.split_off(150);
    drop(dropped);
    let there = drain(&mut stream);
    let expected: Vec<_> = (0..2).chain(50..200).collect();
    assert_eq!(there, expected);
    for emission in emitted {
        assert_eq!(block_on(emission).queued(), 1);
    }
}

#[test]
fn a_change_of_the_overflow_lets_nobody_overtake_who_stands_in_the_line() {
    let later = |overflow| {
        let bus = Bus::empty();
        let stream = bus.stream::<Measured>().bounded(2);
        for number in 1..=2 {
            bus.emit(Measured(number));
        }
        let mut waiting = Box::pin(bus.emit(Measured(3)).into_future());
        assert!(now(waiting.as_mut()).is_pending());
        let mut stream = stream.overflow(overflow);
        let report = bus.emit(Measured(4)).report();
        let newest = (report.queued(), report.skipped(), report.failed());
        let first = drain(&mut stream);
        assert_eq!(block_on(waiting).queued(), 1);
        let all = [first, drain(&mut stream)].concat();
        (newest, all, stream.dropped())
    };
    assert_eq!(later(Overflow::DropOldest), ((1, 0, 0), vec![3, 4], 2));
    assert_eq!(later(Overflow::DropNewest), ((0, 1, 0), vec![1, 2, 3], 1));
    assert_eq!(later(Overflow::Reject), ((0, 0, 1), vec![1, 2, 3], 0));
}

#[test]
fn aq1_an_emission_that_gives_up_waiting_hands_its_place_on() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>().bounded(1);
    bus.emit(Measured(1));
    let [mut second, mut third] =
        [2, 3].map(|number| Box::pin(bus.emit(Measured(number)).into_future()));
    assert!(now(second.as_mut()).is_pending() && now(third.as_mut()).is_pending());
    drop(second);

    assert_eq!(block_on(stream.next()).unwrap().0, 1);
    assert_eq!(block_on(third).queued(), 1);
    assert_eq!(drain(&mut stream), [3]);
}

#[test]
fn aq1_who_gives_up_waiting_for_an_event_has_taken_none() {
    let bus = Bus::empty();
    let mut stream = bus.stream::<Measured>();
    {
        let mut next = pin!(stream.next());
        assert!(
            next.as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        bus.emit(Measured(1));
    }
    assert_eq!(block_on(stream.next()).unwrap().0, 1);
}
