//! Waiting for an event: what it hears, when it ends, and that it ends once.
#![cfg(feature = "runtime")]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tidings::{Bus, BusBuilder, FailureKind, NextErrorKind, VirtualRuntime, event, listener};

const SECOND: Duration = Duration::from_secs(1);

#[event]
struct Paid(u32);

#[event("pages", version = 2)]
struct Page<T>(T);

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A bus in virtual time without the listener of this file.
fn on(time: &VirtualRuntime) -> BusBuilder {
    Bus::builder()
        .without(wait_for_payment)
        .runtime(time.clone())
}

#[test]
fn it_hears_what_is_emitted_between_the_call_and_the_first_poll() {
    let bus = Bus::empty();
    let paid = bus.next::<Paid>();
    bus.emit(Paid(1));
    bus.emit(Paid(2));

    assert_eq!(block_on(paid).map(|e| e.0), Ok(1));
}

#[test]
fn a_report_counts_it_as_queued_and_the_next_emission_not_at_all() {
    let bus = Bus::empty();
    let _paid = bus.next::<Paid>();

    let first = bus.emit(Paid(1)).report();
    let second = bus.emit(Paid(2)).report();

    assert_eq!((first.queued(), first.heard()), (1, true));
    assert_eq!((second.queued(), second.heard()), (0, false));
}

#[test]
fn all_who_wait_share_one_event() {
    let bus = Bus::empty();
    let (a, b) = (bus.next::<Paid>(), bus.next::<Paid>());
    assert_eq!(bus.emit(Paid(1)).report().queued(), 2);

    let (a, b) = (block_on(a).unwrap(), block_on(b).unwrap());
    assert!(Arc::ptr_eq(&a, &b));
}

#[test]
fn what_the_closure_does_not_want_is_skipped_and_waited_past() {
    let bus = Bus::empty();
    let large = bus.next_where(|e: &Paid| e.0 > 10);

    assert_eq!(bus.emit(Paid(1)).report().skipped(), 1);
    bus.emit(Paid(11));

    assert_eq!(block_on(large).map(|e| e.0), Ok(11));
}

#[test]
fn a_panic_of_the_closure_is_a_failure_of_the_condition_and_the_wait_goes_on() {
    let bus = Bus::builder()
        .without(wait_for_payment)
        .on_failure(|_| ())
        .build()
        .unwrap();
    let large = bus.next_where(|e: &Paid| {
        assert!(e.0 > 0, "nothing was paid");
        true
    });

    let report = bus.emit(Paid(0)).report();
    bus.emit(Paid(1));

    assert_eq!(report.failures()[0].kind(), FailureKind::Condition);
    assert_eq!(block_on(large).map(|e| e.0), Ok(1));
}

#[test]
fn dropped_it_is_not_subscribed_any_more() {
    let bus = Bus::empty();
    let paid = bus.next::<Paid>();
    drop(paid);

    assert!(!bus.emit(Paid(1)).report().heard());
}

#[test]
fn after_the_event_came_it_is_not_subscribed_any_more() {
    let bus = Bus::empty();
    let seen = Arc::new(AtomicUsize::new(0));
    let judged = Arc::clone(&seen);
    let _paid = bus.next_where(move |_: &Paid| {
        judged.fetch_add(1, Ordering::SeqCst);
        true
    });
    for number in 0..3 {
        bus.emit(Paid(number));
    }

    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[test]
fn an_event_of_a_generic_type_is_waited_for_by_its_own_type() {
    let bus = Bus::empty();
    let page = bus.next::<Page<u8>>();
    bus.emit(Page("text"));
    bus.emit(Page(7u8));

    assert_eq!(block_on(page).map(|e| e.0), Ok(7));
}

#[test]
fn it_wakes_its_task_once_and_only_for_the_event() {
    let bus = Bus::empty();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut paid = pin!(bus.next_where(|e: &Paid| e.0 == 2));
    let mut poll = || paid.as_mut().poll(&mut Context::from_waker(&waker));

    assert!(poll().is_pending());
    bus.emit(Paid(1));
    assert_eq!(woken.times(), 0);
    bus.emit(Paid(2));
    bus.emit(Paid(2));

    assert_eq!(woken.times(), 1);
    assert!(matches!(poll(), Poll::Ready(Ok(e)) if e.0 == 2));
}

#[test]
fn wakers_are_woken_and_dropped_outside_of_every_lock() {
    /// Uses the bus in all that an executor may do with a waker.
    struct Meddling(Bus, AtomicUsize);
    impl Wake for Meddling {
        fn wake(self: Arc<Self>) {
            self.1.fetch_add(1, Ordering::SeqCst);
            drop(self.0.next::<Paid>());
        }
    }
    impl Drop for Meddling {
        fn drop(&mut self) {
            drop(self.0.next::<Paid>());
        }
    }

    let bus = Bus::empty();
    let mut paid = pin!(bus.next::<Paid>());
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(Meddling(bus.clone(), AtomicUsize::new(0))));
        assert!(
            paid.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    let meddling = Arc::new(Meddling(bus.clone(), AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&meddling));
    assert!(
        paid.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    bus.emit(Paid(1));

    assert_eq!(meddling.1.load(Ordering::SeqCst), 1);
}

#[test]
fn an_emission_of_another_thread_wakes_it() {
    let bus = Bus::empty();
    let (polled, first_poll) = mpsc::channel();
    let emitter = bus.clone();
    let mut paid = pin!(bus.next::<Paid>());
    let emitting = thread::spawn(move || {
        first_poll.recv().unwrap();
        emitter.emit(Paid(5));
    });

    let got = block_on(std::future::poll_fn(|cx| {
        let polled_now = paid.as_mut().poll(cx);
        // The other thread begins only now, so its wake-up is needed.
        let _ = polled.send(());
        polled_now
    }));

    assert_eq!(got.map(|e| e.0), Ok(5));
    emitting.join().unwrap();
}

#[test]
fn of_events_that_come_at_once_each_waiter_gets_exactly_one() {
    const ROUNDS: u32 = 200;
    for _ in 0..ROUNDS {
        let bus = Bus::empty();
        let start = Arc::new(Barrier::new(3));
        let paid = bus.next::<Paid>();
        let emitters: Vec<_> = (0..2)
            .map(|number| {
                let (bus, start) = (bus.clone(), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    bus.emit(Paid(number)).report().queued()
                })
            })
            .collect();
        start.wait();

        let got = block_on(paid).unwrap();
        let queued: usize = emitters.into_iter().map(|e| e.join().unwrap()).sum();
        assert!(got.0 < 2);
        assert_eq!(queued, 1);
    }
}

#[test]
fn dropped_while_an_event_comes_it_leaves_nothing_behind() {
    /// Tells when the last holder is gone.
    #[event]
    struct Tracked(#[expect(dead_code, reason = "held to be counted")] Arc<()>);

    let bus = Bus::empty();
    let alive = Arc::new(());
    for _ in 0..500 {
        let start = Arc::new(Barrier::new(2));
        let wait = bus.next::<Tracked>();
        let (emitter, begin, tracked) = (bus.clone(), Arc::clone(&start), Arc::clone(&alive));
        let emitting = thread::spawn(move || {
            begin.wait();
            emitter.emit(Tracked(tracked)).report().failed()
        });
        start.wait();
        drop(wait);
        assert_eq!(emitting.join().unwrap(), 0);
    }

    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(!bus.emit(Tracked(alive)).report().heard());
}

#[test]
fn within_ends_it_exactly_at_its_time_and_never_before() {
    let time = VirtualRuntime::new();
    let bus = on(&time).build().unwrap();

    let error = block_on(bus.next::<Paid>().within(5 * SECOND))
        .map(drop)
        .unwrap_err();

    assert_eq!(error.kind(), NextErrorKind::TimedOut);
    assert_eq!(error.to_string(), "`paid` did not come within 5s");
    assert_eq!(time.elapsed(), 5 * SECOND);
    assert!(!bus.emit(Paid(1)).report().heard());
}

#[test]
fn within_begins_at_its_call() {
    let time = VirtualRuntime::new();
    let bus = on(&time).build().unwrap();
    let wait = bus.next::<Paid>().within(5 * SECOND);

    time.advance(3 * SECOND);
    let ended = time.block_on(wait);

    assert!(ended.is_err());
    assert_eq!(time.elapsed(), 5 * SECOND);
}

#[test]
fn an_event_that_came_in_time_is_given_also_when_it_is_polled_later() {
    let time = VirtualRuntime::new();
    let bus = on(&time).build().unwrap();
    let wait = bus.next::<Paid>().within(SECOND);
    bus.emit(Paid(1));
    time.advance(3 * SECOND);

    assert_eq!(time.block_on(wait).map(|e| e.0), Ok(1));
}

#[test]
fn without_a_runtime_within_ends_by_the_real_clock() {
    let bus = Bus::empty();
    let begin = Instant::now();

    let error = block_on(bus.next::<Paid>().within(Duration::from_millis(20)))
        .map(drop)
        .unwrap_err();

    assert_eq!(error.kind(), NextErrorKind::TimedOut);
    assert!(begin.elapsed() >= Duration::from_millis(20));
}

#[test]
fn a_shutdown_ends_it() {
    let bus = Bus::empty();
    let wait = bus.next::<Paid>();
    bus.shutdown_blocking(SECOND).unwrap();

    let error = block_on(wait).map(drop).unwrap_err();
    assert_eq!(error.kind(), NextErrorKind::Closed);
    assert_eq!(error.topic(), "paid");
    let late = block_on(bus.next::<Paid>()).map(drop).unwrap_err();
    assert_eq!(late.kind(), NextErrorKind::Closed);
}

#[test]
fn a_shutdown_on_another_thread_wakes_it() {
    let bus = Bus::empty();
    let (polled, first_poll) = mpsc::channel();
    let other = bus.clone();
    let mut paid = pin!(bus.next::<Paid>());
    let closing = thread::spawn(move || {
        first_poll.recv().unwrap();
        assert!(other.shutdown_blocking(SECOND).unwrap().is_clean());
    });

    let got = block_on(std::future::poll_fn(|cx| {
        let polled_now = paid.as_mut().poll(cx);
        let _ = polled.send(());
        polled_now
    }));

    assert!(got.is_err());
    closing.join().unwrap();
}

#[test]
fn the_end_of_the_last_handle_ends_it() {
    let bus = Bus::empty();
    let (wait, timed) = (bus.next::<Paid>(), bus.next::<Paid>().within(SECOND));
    drop(bus);

    for wait in [wait, timed] {
        let error = block_on(wait).map(drop).unwrap_err();
        assert_eq!(error.kind(), NextErrorKind::Closed);
    }
}

#[test]
fn it_does_not_keep_the_bus_alive() {
    let bus = Bus::empty();
    let weak = bus.downgrade();
    let _wait = bus.next::<Paid>();
    drop(bus);

    assert!(weak.upgrade().is_none());
}

#[event]
struct Ordered;

type Said = Mutex<Vec<String>>;

/// Waits inside of its delivery.
#[listener]
async fn wait_for_payment(_: &Ordered, cx: tidings::Context<'_>, said: &Said) {
    let paid = cx.next_where(|e: &Paid| e.0 > 1).await;
    let word = paid.map_or_else(|error| error.to_string(), |e| format!("paid {}", e.0));
    said.lock().unwrap().push(word);
}

#[test]
fn a_listener_waits_for_an_event() {
    let (time, said) = (VirtualRuntime::new(), Arc::new(Said::default()));
    let bus = Bus::builder()
        .runtime(time.clone())
        .state(Arc::clone(&said))
        .build()
        .unwrap();
    let ordered = bus.emit(Ordered);
    drop(ordered);
    time.run_until_stalled();
    for cents in 1..=3 {
        bus.emit(Paid(cents));
    }
    time.run_until_stalled();

    assert_eq!(*said.lock().unwrap(), ["paid 2"]);
}

#[test]
fn a_wait_inside_a_delivery_ends_when_the_shutdown_begins_and_does_not_hold_it_up() {
    let (time, said) = (VirtualRuntime::new(), Arc::new(Said::default()));
    let bus = Bus::builder()
        .runtime(time.clone())
        .state(Arc::clone(&said))
        .build()
        .unwrap();
    bus.emit(Ordered);
    time.run_until_stalled();

    let shutdown = block_on(bus.shutdown(3600 * SECOND)).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(time.elapsed(), Duration::ZERO);
    assert_eq!(
        *said.lock().unwrap(),
        ["the bus was shut down before `paid` came"]
    );
}
