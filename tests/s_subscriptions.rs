//! S3: listeners that come and go while the program runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use tidings::{AnyEvent, Bus, FailureKind, emit, event};

#[event("orders.placed")]
struct Placed {
    order: u32,
}

#[event("orders.shipped")]
struct Shipped;

type Log = Arc<Mutex<Vec<String>>>;

/// A closure that writes what it hears.
fn writes(log: &Log, name: &'static str) -> impl Fn(&Placed) + Send + Sync + use<> {
    let log = Arc::clone(log);
    move |e| log.lock().unwrap().push(format!("{name} {}", e.order))
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn s3_a_subscription_hears_until_it_is_dropped() {
    let (bus, log) = (Bus::empty(), Log::default());

    let subscription = bus.on(writes(&log, "on"));
    bus.emit(Placed { order: 1 });
    bus.emit(Shipped);
    drop(subscription);
    let report = bus.emit(Placed { order: 2 }).report();

    assert_eq!(taken(&log), ["on 1"]);
    assert!(!report.heard());
    assert_eq!(
        Arc::strong_count(&log),
        1,
        "the closure is dropped with its subscription"
    );
}

#[test]
fn s3_a_subscription_that_is_kept_forever_lives_as_long_as_the_bus() {
    let (bus, log) = (Bus::empty(), Log::default());

    bus.on(writes(&log, "on")).forever();
    bus.on_topic("orders.*", {
        let log = Arc::clone(&log);
        move |e| log.lock().unwrap().push(e.topic().to_owned())
    })
    .unwrap()
    .forever();
    bus.emit(Placed { order: 1 });
    assert_eq!(taken(&log), ["on 1", "orders.placed"]);

    drop(bus);
    assert_eq!(Arc::strong_count(&log), 1);
}

#[test]
fn s3_of_several_subscriptions_the_others_stay() {
    let (bus, log) = (Bus::empty(), Log::default());
    let one = bus.on(writes(&log, "one"));
    let two = bus.on(writes(&log, "two"));
    let three = bus.on(writes(&log, "three"));

    bus.emit(Placed { order: 1 });
    drop(two);
    bus.emit(Placed { order: 2 });
    drop(one);
    let again = bus.on(writes(&log, "again"));
    bus.emit(Placed { order: 3 });

    assert_eq!(
        taken(&log),
        [
            "one 1", "two 1", "three 1", "one 2", "three 2", "three 3", "again 3"
        ]
    );
    drop((three, again));
    assert!(!bus.emit(Placed { order: 4 }).report().heard());
}

#[test]
fn s3_once_is_heard_once() {
    let (bus, log) = (Bus::empty(), Log::default());
    let write = writes(&log, "once");

    let subscription = bus.once(move |e: &Placed| write(e));
    let first = bus.emit(Placed { order: 1 }).report();
    let second = bus.emit(Placed { order: 2 }).report();
    drop(subscription);

    assert_eq!((first.ran(), second.ran()), (1, 0));
    assert_eq!(taken(&log), ["once 1"]);
    assert_eq!(Arc::strong_count(&log), 1);
}

#[test]
fn s3_once_that_is_dropped_before_is_not_heard() {
    let (bus, log) = (Bus::empty(), Log::default());
    let write = writes(&log, "once");

    drop(bus.once(move |e: &Placed| write(e)));

    assert!(!bus.emit(Placed { order: 1 }).report().heard());
}

#[test]
fn s3_once_that_emits_its_event_again_is_not_heard_again() {
    let bus = Bus::empty();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);

    bus.once(move |e: &Placed| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert!(!emit(Placed { order: e.order + 1 }).report().heard());
    })
    .forever();

    assert_eq!(bus.emit(Placed { order: 1 }).report().ran(), 1);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn s3_once_that_panics_is_a_failure_and_is_gone() {
    let bus = Bus::builder().on_failure(|_| {}).build().unwrap();
    bus.once(|e: &Placed| assert!(e.order == 0, "order {}", e.order))
        .forever();

    let report = bus.emit(Placed { order: 1 }).report();

    assert_eq!(report.failures()[0].kind(), FailureKind::Panic);
    assert_eq!(report.failures()[0].message(), "order 1");
    assert!(!bus.emit(Placed { order: 1 }).report().heard());
}

#[test]
fn s3_of_two_threads_one_is_heard_by_once_and_the_loser_does_not_count() {
    for _ in 0..500 {
        let bus = Bus::empty();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        bus.once(move |_: &Placed| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .forever();
        let start = Barrier::new(2);
        let run = || {
            start.wait();
            bus.emit(Placed { order: 1 }).report()
        };

        let (one, two) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join().unwrap())
        });

        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(one.ran() + two.ran(), 1);
        for report in [one, two] {
            assert_eq!(
                (report.skipped(), report.failed(), report.queued()),
                (0, 0, 0)
            );
            assert_eq!(report.heard(), report.ran() == 1);
        }
    }
}

#[test]
fn s3_a_subscription_by_topic_hears_every_event_that_matches() {
    let (bus, log) = (Bus::empty(), Log::default());
    let hears = |pattern: &str| {
        let (log, name) = (Arc::clone(&log), pattern.to_owned());
        let write =
            move |e: &AnyEvent<'_>| log.lock().unwrap().push(format!("{name} {}", e.topic()));
        bus.on_topic(pattern, write).unwrap()
    };

    let subscriptions = [
        hears("**"),
        hears("orders.shipped"),
        hears("*.placed"),
        hears("stock.*"),
    ];
    bus.emit(Placed { order: 1 });
    bus.emit(Shipped);
    drop(subscriptions);
    bus.emit(Shipped);

    assert_eq!(
        taken(&log),
        [
            "** orders.placed",
            "*.placed orders.placed",
            "** orders.shipped",
            "orders.shipped orders.shipped"
        ]
    );
}

#[test]
fn s3_a_pattern_that_is_none_subscribes_nothing() {
    let bus = Bus::empty();

    let error = bus.on_topic("orders.*x", |_| {}).unwrap_err();

    assert_eq!(
        error.to_string(),
        "`orders.*x` is not a pattern: the `*` at byte 7 must be a whole segment, or `**` as the last one"
    );
    assert!(!bus.emit(Placed { order: 1 }).report().heard());
}

#[test]
fn s3_a_closure_emits_with_the_free_emit_or_a_weak_bus_and_the_bus_is_freed() {
    let (bus, log) = (Bus::empty(), Log::default());
    let weak = bus.downgrade();
    let inside = weak.clone();
    bus.on(move |e: &Placed| {
        assert_eq!(emit(Shipped).report().ran(), 1);
        assert_eq!(
            inside.upgrade().unwrap().emit(Shipped).report().ran(),
            1,
            "{}",
            e.order
        );
    })
    .forever();
    bus.on({
        let log = Arc::clone(&log);
        move |_: &Shipped| log.lock().unwrap().push("shipped".to_owned())
    })
    .forever();

    assert_eq!(bus.emit(Placed { order: 1 }).report().ran(), 1);
    assert_eq!(taken(&log), ["shipped", "shipped"]);

    drop(bus);
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&log), 1);
}

#[test]
fn s3_a_subscription_may_outlive_its_bus() {
    let (bus, log) = (Bus::empty(), Log::default());
    let subscription = bus.on(writes(&log, "on"));

    drop(bus);
    assert_eq!(
        Arc::strong_count(&log),
        1,
        "a subscription does not keep the bus"
    );
    drop(subscription);
}

#[test]
fn s3_a_failure_of_a_subscription_names_the_place_where_it_was_made() {
    let bus = Bus::builder().on_failure(|_| {}).build().unwrap();
    let (subscription, line) = (bus.on(|_: &Placed| panic!("no paper")), line!());
    let by_topic = bus.on_topic("orders.placed", |_| panic!("no ink")).unwrap();

    let report = bus.emit(Placed { order: 1 }).report();

    let [on, on_topic] = report.failures() else {
        panic!("{report}")
    };
    let id = on.listener().unwrap().id();
    assert!(
        id.starts_with(&format!("subscription at {}:{line}:", file!())),
        "{id}"
    );
    assert_eq!(
        (on.message(), on.location().unwrap().line()),
        ("no paper", line)
    );
    assert_eq!(
        (on_topic.message(), on_topic.location().unwrap().line()),
        ("no ink", line + 1)
    );
    drop((subscription, by_topic));
}
