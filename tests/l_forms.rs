//! L1 to L4 where the program runs: what a listener hears, asks for and returns.

use std::sync::{Arc, Mutex};

use tidings::{AnyEvent, Bus, Context, FailureKind, event, listener};

#[event("orders.placed")]
struct Placed {
    total: u64,
}

#[event("orders.shipped")]
struct Shipped {
    order: u64,
}

#[event("stock.low")]
struct Low;

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

trait Carrier: Send + Sync {
    fn name(&self) -> &'static str;
}

struct Post;

impl Carrier for Post {
    fn name(&self) -> &'static str {
        "post"
    }
}

#[listener(Placed)]
fn by_type(e: &Placed, log: &Log) {
    log.add(format!("type {}", e.total));
}

#[listener("orders.placed")]
fn by_topic(e: &Placed, log: &Log) {
    log.add(format!("topic {}", e.total));
}

#[listener("orders.placed", "*.placed", Placed)]
fn by_several(e: &Placed, log: &Log) {
    log.add(format!("several {}", e.total));
}

#[listener("orders.shipped", "*.shipped", "stock.**")]
fn any_of_two_patterns(e: &AnyEvent<'_>, log: &Log) {
    log.add(format!("patterns {}", e.topic()));
}

#[listener(Low, Placed)]
fn any_of_two_types(e: &AnyEvent<'_>, log: &Log) {
    log.add(format!("types {} {}", e.topic(), e.is::<Placed>()));
}

type Journal = Log;
type Here<'a> = Context<'a>;
type Maybe<'a> = Option<&'a Log>;
type Order = Placed;

#[listener(id = "forms.aliases")]
fn aliases(e: &Order, log: &Journal, maybe: Maybe<'_>, here: Here<'_>) {
    assert!(maybe.is_some_and(|other| std::ptr::eq(other, log)));
    log.add(format!(
        "{} {} {} {}",
        here.listener().id(),
        here.topic(),
        here.depth(),
        e.total
    ));
}

#[listener]
fn carry(e: &Shipped, carrier: &dyn Carrier, log: &Log) {
    log.add(format!("{} by {}", e.order, carrier.name()));
}

#[listener(when = |e| e.total > 100)]
fn large(e: &Placed, log: &Log) {
    log.add(format!("large {}", e.total));
}

#[listener(when = |e| e.total > 100)]
async fn large_later(e: &Placed, log: &Log) {
    log.add(format!("large later {}", e.total));
}

#[listener(when = |e| { assert!(e.total != 13, "unlucky"); true })]
fn superstitious(_: &Placed) {}

fn bus<M>(listeners: impl tidings::ListenerSet<M>) -> (Bus, Arc<Log>) {
    let log = Arc::new(Log::default());
    let carrier: Arc<dyn Carrier> = Arc::new(Post);
    let builder = Bus::builder()
        .only(listeners)
        .state(Arc::clone(&log))
        .state(carrier)
        .on_failure(|_| {});
    (builder.build().unwrap(), log)
}

#[test]
fn l1_a_listener_names_its_event_by_type_or_topic_and_hears_it_once() {
    let (bus, log) = bus((by_type, by_topic, by_several));

    let report = bus.emit(Placed { total: 1 }).report();

    assert_eq!(report.ran(), 3);
    assert_eq!(log.taken(), ["type 1", "topic 1", "several 1"]);
}

#[test]
fn l1_a_listener_of_any_event_hears_what_its_patterns_and_types_select() {
    let (bus, log) = bus((any_of_two_patterns, any_of_two_types));

    bus.emit(Placed { total: 1 });
    bus.emit(Shipped { order: 2 });
    bus.emit(Low);

    assert_eq!(
        log.taken(),
        [
            "types orders.placed true",
            "patterns orders.shipped",
            "patterns stock.low",
            "types stock.low false"
        ]
    );
}

#[test]
fn l2_parameters_are_told_apart_behind_aliases() {
    let (bus, log) = bus(aliases);

    bus.emit(Placed { total: 5 });

    assert_eq!(log.taken(), ["forms.aliases orders.placed 1 5"]);
}

#[test]
fn l2_a_trait_object_is_state_given_as_its_arc() {
    let (bus, log) = bus(carry);

    bus.emit(Shipped { order: 8 });

    assert_eq!(log.taken(), ["8 by post"]);
}

#[test]
fn l4_a_delivery_whose_condition_does_not_hold_is_counted_as_skipped() {
    let (bus, log) = bus((large, large_later));

    let small = futures::executor::block_on(async { bus.emit(Placed { total: 100 }).await });
    let both = futures::executor::block_on(async { bus.emit(Placed { total: 101 }).await });

    assert_eq!((small.ran(), small.skipped(), small.failed()), (0, 2, 0));
    assert!(!small.heard());
    assert_eq!((both.ran(), both.skipped()), (2, 0));
    assert_eq!(log.taken(), ["large 101", "large later 101"]);
}

#[test]
fn l4_a_condition_that_panics_is_a_failure_of_its_own_kind() {
    let (bus, _log) = bus(superstitious);

    let fine = bus.emit(Placed { total: 12 }).report();
    let report = bus.emit(Placed { total: 13 }).report();

    assert_eq!((fine.ran(), report.failed()), (1, 1));
    let [failure] = report.failures() else {
        panic!("{report}")
    };
    assert_eq!(failure.kind(), FailureKind::Condition);
    assert_eq!(failure.message(), "unlucky");
}
