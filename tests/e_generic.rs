//! E3: generic events share a topic; patterns find an instantiation that nobody names when it is first emitted.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tidings::{AnyEvent, Bus, Code, Event, FailureKind, catalog, event, listener, listeners};

type Log = Mutex<Vec<String>>;

#[event("pages.loaded", version = 2)]
struct Loaded<T> {
    items: Vec<T>,
}

#[event("pairs.made")]
struct Pair<A: Clone, const N: usize>([A; N]);

#[event("stops.made", stoppable)]
struct Stopped<T>(T);

#[listener]
fn stop(e: &Stopped<u8>) -> ControlFlow<()> {
    if e.0 == 0 {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

#[listener]
fn after_stop(_: &Stopped<u8>) {}

#[listener]
fn numbers(e: &Loaded<u32>, log: &Log) {
    log.lock()
        .unwrap()
        .push(format!("numbers {}", e.items.len()));
}

#[listener("pages.*")]
fn any_page(e: &AnyEvent<'_>, log: &Log) {
    let kind = if e.is::<Loaded<u32>>() {
        "u32"
    } else {
        "other"
    };
    log.lock()
        .unwrap()
        .push(format!("{} v{} {kind}", e.topic(), e.version()));
}

#[listener("pages.**")]
async fn later(_: &AnyEvent<'_>) {}

fn bus() -> (Bus, Arc<Log>) {
    let log = Arc::new(Log::default());
    (
        Bus::builder()
            .without(later)
            .state(Arc::clone(&log))
            .build()
            .unwrap(),
        log,
    )
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn e3_instantiations_share_the_topic_and_a_listener_hears_its_own() {
    let (bus, log) = bus();

    let numbers = bus
        .emit(Loaded {
            items: vec![1_u32, 2],
        })
        .report();
    let words = bus.emit(Loaded { items: vec!["one"] }).report();

    assert_eq!(Loaded::<u32>::TOPIC, Loaded::<&str>::TOPIC);
    assert_eq!((numbers.ran(), words.ran()), (2, 1));
    assert_eq!(
        taken(&log),
        ["numbers 2", "pages.loaded v2 u32", "pages.loaded v2 other"]
    );
}

#[test]
fn e3_a_pattern_hears_an_instantiation_that_nobody_names_from_its_first_emission() {
    let (bus, log) = bus();

    bus.emit(Loaded {
        items: vec![Rc::new(())],
    });
    bus.emit(Loaded {
        items: vec![Rc::new(())],
    });

    assert_eq!(
        taken(&log),
        ["pages.loaded v2 other", "pages.loaded v2 other"]
    );
}

#[test]
fn e3_a_subscription_by_topic_hears_instantiations_emitted_before_and_after_it() {
    let (bus, _log) = bus();
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    bus.emit(Loaded { items: vec![1_u8] });

    let tell = move |_: &AnyEvent<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let subscription = bus.on_topic("pages.loaded", tell).unwrap();
    bus.emit(Loaded { items: vec![1_u8] });
    bus.emit(Loaded { items: vec![1_u16] });
    drop(subscription);
    bus.emit(Loaded { items: vec![1_u8] });
    bus.emit(Loaded { items: vec![1_u16] });

    assert_eq!(heard.load(Ordering::Relaxed), 2);
}

#[test]
fn e3_an_instantiation_is_subscribed_to_by_its_type_before_and_after_its_first_emission() {
    let bus = Bus::empty();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (first, second) = (Arc::clone(&heard), Arc::clone(&heard));

    let before = bus.on(move |e: &Pair<u8, 2>| first.lock().unwrap().push(e.0[0]));
    bus.emit(Pair([1_u8, 0]));
    bus.once(move |e: &Pair<u8, 2>| second.lock().unwrap().push(e.0[0] + 100))
        .forever();
    bus.emit(Pair([2_u8, 0]));
    bus.emit(Pair([3_u8, 0, 0]));
    drop(before);
    let report = bus.emit(Pair([4_u8, 0])).report();

    assert_eq!(*heard.lock().unwrap(), [1, 2, 102]);
    assert!(!report.heard());
}

struct Reader(Log);

#[listeners]
impl Reader {
    #[listener]
    fn letters(&self, e: &Loaded<char>) {
        self.0
            .lock()
            .unwrap()
            .push(format!("letters {}", e.items.len()));
    }

    #[listener("pages.*")]
    fn every(&self, e: &AnyEvent<'_>) {
        self.0.lock().unwrap().push(e.topic().to_owned());
    }
}

#[test]
fn e3_methods_are_attached_to_instantiations_emitted_before_and_after() {
    let bus = Bus::empty();
    let reader = Arc::new(Reader(Log::default()));
    bus.emit(Loaded { items: vec!['a'] });

    let attached = bus.attach(Arc::clone(&reader)).unwrap();
    bus.emit(Loaded { items: vec!['a'] });
    bus.emit(Loaded {
        items: vec![0.5_f32],
    });
    drop(attached);
    bus.emit(Loaded { items: vec!['a'] });

    assert_eq!(
        taken(&reader.0),
        ["letters 1", "pages.loaded", "pages.loaded"]
    );
}

#[test]
fn e5_an_async_pattern_listener_and_a_generic_payload_without_bounds_is_a_failure_that_names_both()
{
    let bus = Bus::builder()
        .only(later)
        .on_failure(|_| {})
        .build()
        .unwrap();

    for _ in 0..2 {
        let report = bus
            .emit(Loaded {
                items: vec![Rc::new(1_u8)],
            })
            .report();

        let [failure] = report.failures() else {
            panic!("{report}")
        };
        assert_eq!(failure.kind(), FailureKind::NotSend);
        assert_eq!(failure.listener().unwrap().function(), "later");
        assert_eq!(
            failure.message(),
            "an async listener hears `pages.loaded` by a pattern, but `e_generic::Loaded<alloc::rc::Rc<u8>>` is not `Send + Sync`"
        );
    }
}

#[test]
fn e3_a_generic_event_is_one_declaration_in_the_catalog() {
    let events: Vec<_> = catalog()
        .events()
        .iter()
        // With the feature `transport` there are events of connections as well.
        .filter(|event| event.type_name().starts_with("e_generic::"))
        .map(|event| (event.topic(), event.is_generic()))
        .collect();

    assert_eq!(
        events,
        [
            ("pages.loaded", true),
            ("pairs.made", true),
            ("stops.made", true)
        ]
    );
}

#[test]
fn e4_an_instantiation_of_a_stoppable_generic_event_is_stopped() {
    let (bus, _log) = bus();

    let stopped = bus.emit(Stopped(1_u8)).report();
    let went_on = bus.emit(Stopped(0_u8)).report();

    assert_eq!(
        (stopped.ran(), stopped.stopped_by().unwrap().function()),
        (1, "stop")
    );
    assert_eq!((went_on.ran(), went_on.stopped_by().is_none()), (2, true));
}

struct Archive;

#[listeners]
impl Archive {
    #[listener("pages.*")]
    async fn store(&self, _: &AnyEvent<'_>) {
        std::future::ready(()).await;
    }
}

#[test]
fn e5_an_async_pattern_method_is_not_attached_once_an_instantiation_that_is_not_send_was_emitted() {
    let bus = Bus::empty();
    bus.emit(Loaded {
        items: vec![Rc::new(1_u8)],
    });

    let error = bus.attach(Arc::new(Archive)).unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::NotSend);
    assert_eq!(
        problem.message(),
        "async listener `e_generic::Archive::store` hears `pages.loaded` by a pattern, but \
         `e_generic::Loaded<alloc::rc::Rc<u8>>` is not `Send + Sync`"
    );
}

/// A pattern method and a typed one of a generic event.
struct Shelf(Log);

#[listeners]
impl Shelf {
    #[listener("pages.*", before = Self::numbers)]
    fn every(&self, _: &AnyEvent<'_>) {
        self.0.lock().unwrap().push("every".to_owned());
    }

    #[listener]
    fn numbers(&self, _: &Loaded<u64>) {
        self.0.lock().unwrap().push("numbers".to_owned());
    }
}

#[test]
fn o2_typed_and_pattern_methods_of_a_generic_event_share_one_order() {
    for emitted_before in [false, true] {
        let (bus, shelf) = (Bus::empty(), Arc::new(Shelf(Log::default())));
        if emitted_before {
            bus.emit(Loaded { items: vec![1_u64] });
        }

        let attached = bus.attach(Arc::clone(&shelf)).unwrap();
        bus.emit(Loaded { items: vec![1_u64] });
        bus.emit(Loaded { items: vec![1_i64] });
        drop(attached);
        bus.emit(Loaded { items: vec![1_u64] });
        bus.emit(Loaded { items: vec![1_i64] });

        assert_eq!(taken(&shelf.0), ["every", "numbers", "every"]);
    }
}
