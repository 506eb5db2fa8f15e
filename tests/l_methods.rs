//! L6: methods of an instance as listeners.
#![allow(
    clippy::unused_self,
    reason = "a listener method belongs to an instance, whether it looks at it or not"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tidings::{
    AnyEvent, BuildError, Bus, Code, Context, Mode, catalog, event, listener, listeners,
};

#[event("orders.placed")]
struct Placed {
    order: u32,
}

#[event("orders.shipped")]
struct Shipped {
    order: u32,
}

#[event("orders.returned")]
struct Returned;

#[derive(Default)]
struct Mailer {
    name: &'static str,
    log: Mutex<Vec<String>>,
}

impl Mailer {
    fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            log: Mutex::default(),
        })
    }

    fn add(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

#[listeners]
impl Mailer {
    #[listener(after = Self::prepare)]
    fn confirm(&self, e: &Placed, sent: &AtomicU32, cx: Context<'_>) -> Shipped {
        let number = sent.fetch_add(1, Ordering::Relaxed);
        self.add(format!(
            "{} confirms {} as {number} at depth {}",
            self.name,
            e.order,
            cx.depth()
        ));
        Shipped { order: e.order }
    }

    #[listener(early, when = |e| e.order != 13)]
    fn prepare(&self, e: &Placed) {
        self.add(format!("{} prepares {}", self.name, e.order));
    }

    #[listener("orders.shipped", before = "mailer.second")]
    fn first(&self, e: &AnyEvent<'_>) {
        self.add(format!("{} first {}", self.name, e.topic()));
    }

    #[listener(id = "mailer.second")]
    async fn second(&self, e: &Shipped) {
        std::future::ready(()).await;
        self.add(format!("{} second {}", self.name, e.order));
    }

    /// Is a listener of the program, not of an instance.
    #[listener]
    fn count(_: &Returned, returned: &AtomicU32) {
        returned.fetch_add(1, Ordering::Relaxed);
    }

    fn no_listener(&self) -> &'static str {
        self.name
    }
}

fn bus() -> Bus {
    Bus::builder()
        .only(Mailer::count)
        .state(AtomicU32::new(0))
        .build()
        .unwrap()
}

#[test]
fn l6_methods_hear_events_from_when_they_are_attached_until_the_subscription_is_dropped() {
    let (bus, mailer) = (bus(), Mailer::named("m"));
    bus.emit(Placed { order: 1 });

    let attached = bus.attach(Arc::clone(&mailer)).unwrap();
    let report = futures::executor::block_on(async { bus.emit(Placed { order: 2 }).await });
    drop(attached);
    bus.emit(Placed { order: 3 });

    assert_eq!(report.ran(), 2);
    assert_eq!(
        mailer.taken(),
        [
            "m prepares 2",
            "m confirms 2 as 0 at depth 1",
            "m first orders.shipped",
            "m second 2"
        ]
    );
    assert_eq!(
        Arc::strong_count(&mailer),
        1,
        "the bus lets go of what is detached"
    );
    assert_eq!(mailer.no_listener(), "m");
}

#[test]
fn l6_a_condition_of_a_method_skips() {
    let (bus, mailer) = (bus(), Mailer::named("m"));
    let attached = bus.attach(Arc::clone(&mailer)).unwrap();

    let report = futures::executor::block_on(async { bus.emit(Placed { order: 13 }).await });

    assert_eq!((report.ran(), report.skipped()), (1, 1));
    drop(attached);
}

#[test]
fn l6_an_instance_that_is_attached_forever_lives_as_long_as_the_bus() {
    let (bus, mailer) = (bus(), Mailer::named("m"));

    bus.attach(Arc::clone(&mailer)).unwrap().forever();
    futures::executor::block_on(async { bus.emit(Shipped { order: 4 }).await });
    assert_eq!(mailer.taken(), ["m first orders.shipped", "m second 4"]);

    drop(bus);
    assert_eq!(Arc::strong_count(&mailer), 1);
}

#[test]
fn l6_two_instances_of_a_type_are_told_apart_and_hear_in_the_order_of_attachment() {
    let bus = bus();
    let (one, two) = (Mailer::named("one"), Mailer::named("two"));
    let log = Mailer::named("both");
    let shared = Arc::clone(&log);
    let first = bus.attach(Arc::clone(&one)).unwrap();
    let second = bus.attach(Arc::clone(&two)).unwrap();
    bus.on(move |e: &Shipped| shared.add(format!("{}", e.order)))
        .forever();

    let both = futures::executor::block_on(async { bus.emit(Shipped { order: 1 }).await });
    drop(first);
    let alone = futures::executor::block_on(async { bus.emit(Shipped { order: 2 }).await });
    drop(second);

    assert_eq!((both.ran(), alone.ran()), (5, 3));
    assert_eq!(one.taken(), ["one first orders.shipped", "one second 1"]);
    assert_eq!(
        two.taken(),
        [
            "two first orders.shipped",
            "two second 1",
            "two first orders.shipped",
            "two second 2"
        ]
    );
    assert_eq!(log.taken(), ["1", "2"]);
}

#[test]
fn l6_associated_functions_register_at_link_time_and_methods_do_not() {
    let bus = bus();

    assert_eq!(bus.emit(Returned).report().ran(), 1);
    let ids: Vec<_> = catalog()
        .listeners()
        .iter()
        .filter(|l| l.function().starts_with("Mailer"))
        .map(tidings::ListenerInfo::id)
        .collect();
    assert_eq!(ids, ["l_methods::Mailer::count"]);
}

#[test]
fn l6_a_failure_names_the_method() {
    struct Faulty;
    #[listeners]
    impl Faulty {
        #[listener]
        async fn fail(&self, _: &Placed) -> Result<(), String> {
            std::future::ready(Err("out of paper".to_owned())).await
        }
    }
    let bus = Bus::builder()
        .only(Mailer::count)
        .state(AtomicU32::new(0))
        .on_failure(|_| {})
        .build()
        .unwrap();
    bus.attach(Arc::new(Faulty)).unwrap().forever();

    let report = futures::executor::block_on(async { bus.emit(Placed { order: 1 }).await });

    let [failure] = report.failures() else {
        panic!("{report}")
    };
    let listener = failure.listener().unwrap();
    assert_eq!(
        (listener.id(), listener.mode()),
        ("l_methods::Faulty::fail", Mode::Async)
    );
    assert_eq!(failure.message(), "out of paper");
    assert_eq!(listener.location().file(), file!());
}

#[test]
fn l6_a_method_whose_state_is_missing_is_not_attached() {
    let error = Bus::empty().attach(Mailer::named("m")).unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::MissingState);
    let start = "listener `l_methods::Mailer::confirm` needs state `core::sync::atomic::Atomic";
    assert!(problem.message().starts_with(start), "{error}");
    assert!(problem.message().contains("(parameter `sent`)"), "{error}");
}

#[listener]
fn linked(_: &Placed) {}

fn no_listener(_: &Placed) {}

struct Circle;

#[listeners]
impl Circle {
    #[listener(after = Self::right)]
    fn left(&self, _: &Placed) {}

    #[listener(after = Self::left)]
    fn right(&self, _: &Placed) {}
}

struct Ahead;

#[listeners]
impl Ahead {
    #[listener(before = linked)]
    fn hurry(&self, _: &Placed) {}
}

struct Behind;

#[listeners]
impl Behind {
    #[listener(after = linked)]
    fn follow(&self, _: &Placed) {}
}

struct Lost;

#[listeners]
impl Lost {
    #[listener(after = no_listener)]
    fn seek(&self, _: &Placed) {}

    #[listener(after = "l_methods::Lost::sek")]
    fn ask(&self, _: &Placed) {}
}

fn codes(error: &BuildError) -> Vec<&'static str> {
    error
        .problems()
        .iter()
        .map(|problem| problem.code().as_str())
        .collect()
}

#[test]
fn l6_relations_of_methods_that_cannot_hold_are_errors_of_attach() {
    no_listener(&Placed { order: 0 });
    let bus = Bus::empty();

    let circle = bus.attach(Arc::new(Circle)).unwrap_err();
    let ahead = Bus::builder()
        .only(linked)
        .build()
        .unwrap()
        .attach(Arc::new(Ahead))
        .unwrap_err();
    let lost = bus.attach(Arc::new(Lost)).unwrap_err();

    assert_eq!(codes(&circle), ["order-cycle"]);
    assert_eq!(
        circle.problems()[0].message(),
        "the order leads in a circle: `l_methods::Circle::left` before `l_methods::Circle::right` \
         before `l_methods::Circle::left`"
    );
    assert_eq!(codes(&ahead), ["order-unrelated"]);
    assert_eq!(
        ahead.problems()[0].message(),
        "method listener `l_methods::Ahead::hurry` shall run before a linked listener, but attached methods come \
         after all linked ones"
    );
    assert_eq!(codes(&lost), ["not-a-listener", "unknown-id"]);
    assert!(
        lost.problems()[1]
            .message()
            .contains("did you mean `l_methods::Lost::"),
        "{lost}"
    );
    assert!(
        !bus.emit(Placed { order: 1 }).report().heard(),
        "nothing is attached by half"
    );
}

#[test]
fn l6_a_method_after_a_linked_listener_is_attached() {
    let bus = Bus::builder().only(linked).build().unwrap();
    bus.attach(Arc::new(Behind)).unwrap().forever();

    assert_eq!(bus.emit(Placed { order: 1 }).report().ran(), 2);
}

/// Typed and pattern methods, related against the order of the source.
struct Mixed(Mutex<Vec<&'static str>>);

#[listeners]
impl Mixed {
    #[listener(after = Self::last_pattern)]
    fn typed_after_pattern(&self, _: &Placed) {
        self.0.lock().unwrap().push("typed after pattern");
    }

    #[listener("orders.*", before = Self::typed)]
    fn pattern_before_typed(&self, _: &AnyEvent<'_>) {
        self.0.lock().unwrap().push("pattern before typed");
    }

    #[listener]
    fn typed(&self, _: &Placed) {
        self.0.lock().unwrap().push("typed");
    }

    #[listener("orders.placed", "**", late)]
    fn late_pattern(&self, _: &AnyEvent<'_>) {
        self.0.lock().unwrap().push("late pattern");
    }

    #[listener("**")]
    fn last_pattern(&self, _: &AnyEvent<'_>) {
        self.0.lock().unwrap().push("last pattern");
    }
}

#[test]
fn o2_typed_and_pattern_methods_share_one_order() {
    let (bus, mixed) = (Bus::empty(), Arc::new(Mixed(Mutex::default())));
    let attached = bus.attach(Arc::clone(&mixed)).unwrap();

    let report = bus.emit(Placed { order: 1 }).report();

    assert_eq!(report.ran(), 5);
    assert_eq!(
        std::mem::take(&mut *mixed.0.lock().unwrap()),
        [
            "pattern before typed",
            "typed",
            "last pattern",
            "typed after pattern",
            "late pattern"
        ]
    );
    drop(attached);
    assert!(!bus.emit(Placed { order: 2 }).report().heard());
    assert!(!bus.emit(Returned).report().heard());
}
