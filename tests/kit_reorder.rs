//! That a test finds what depends on an order which nothing fixes, and that what is fixed stays.
#![cfg(feature = "test")]

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tidings::test::{TestBus, TestBusBuilder, permute, permute_from};
use tidings::{AnyEvent, Bus, event, listener, listeners};

const SEEDS: u64 = 200;

/// Who was called, in that order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<&'static str>>>);

impl Calls {
    fn note(&self, name: &'static str) {
        self.all().push(name);
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[event("shop.placed")]
struct Placed;

#[event("shop.paid")]
struct Paid;

#[event(stoppable)]
struct Asked;

#[event("shop.moved")]
struct Moved<T: Send + Sync + 'static>(T);

#[listener(early)]
fn first(_: &Placed, calls: &Calls) {
    calls.note("first");
}

#[listener(early)]
fn second(_: &Placed, calls: &Calls) {
    calls.note("second");
}

#[listener]
fn charge(_: &Placed, calls: &Calls) -> Paid {
    calls.note("charge");
    Paid
}

#[listener(queue = 8)]
fn pack(_: &Placed, calls: &Calls) {
    calls.note("pack");
}

#[listener(queue = 8)]
fn label(_: &Placed, calls: &Calls) {
    calls.note("label");
}

#[listener(after = pack)]
fn send(_: &Placed, calls: &Calls) {
    calls.note("send");
}

#[listener]
async fn confirm(_: &Placed, calls: &Calls) {
    calls.note("confirm");
}

#[listener]
async fn thank(_: &Placed, calls: &Calls) {
    calls.note("thank");
}

#[listener(before = charge)]
fn check(_: &Placed, calls: &Calls) {
    calls.note("check");
}

#[listener("shop.*")]
fn any(_: &AnyEvent<'_>, calls: &Calls) {
    calls.note("any");
}

#[listener("shop.*")]
fn also(_: &AnyEvent<'_>, calls: &Calls) {
    calls.note("also");
}

#[listener(late)]
fn last(_: &Placed, calls: &Calls) {
    calls.note("last");
}

#[listener]
fn refuse(_: &Asked, calls: &Calls) -> ControlFlow<()> {
    calls.note("refuse");
    ControlFlow::Break(())
}

#[listener]
fn accept(_: &Asked, calls: &Calls) {
    calls.note("accept");
}

struct Desk(Calls);

#[listeners]
impl Desk {
    #[listener]
    fn open(&self, _: &Placed) {
        self.0.note("open");
    }

    #[listener(after = Self::open)]
    fn serve(&self, _: &Placed) {
        self.0.note("serve");
    }

    #[listener]
    fn watch(&self, _: &Placed) {
        self.0.note("watch");
    }

    #[listener("shop.*")]
    fn hear(&self, _: &AnyEvent<'_>) {
        self.0.note("hear");
    }

    #[listener(late)]
    fn close(&self, _: &Placed) {
        self.0.note("close");
    }
}

/// The order in which an event reached its inline listeners.
fn order(seed: Option<u64>, choose: fn(TestBusBuilder) -> TestBusBuilder) -> Vec<&'static str> {
    let calls = Calls::default();
    let mut builder = choose(TestBus::builder().state(calls.clone()));
    if let Some(seed) = seed {
        builder = builder.reorder(seed);
    }
    let bus = builder.build();
    bus.emit(Placed);
    bus.settle_blocking();
    calls.all().clone()
}

fn inline(builder: TestBusBuilder) -> TestBusBuilder {
    builder.only((first, second, check, charge, any, also, last))
}

fn place(order: &[&str], name: &str) -> usize {
    let place = order.iter().position(|other| *other == name);
    place.unwrap_or_else(|| panic!("`{name}` was not called: {order:?}"))
}

fn failure(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test was to fail");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().expect("a failure has a message")).to_owned(),
    }
}

#[test]
fn phases_and_relations_are_kept_in_every_order() {
    for seed in 0..SEEDS {
        let order = order(Some(seed), inline);
        let at = |name| place(&order, name);
        let early = at("first").max(at("second"));
        assert_eq!(early, 1, "seed {seed}: {order:?}");
        // After all of them the patterns hear what `charge` returned.
        assert_eq!(at("last"), 6, "seed {seed}: {order:?}");
        assert_eq!(order.len(), 9, "seed {seed}: {order:?}");
        assert!(at("check") < at("charge"), "seed {seed}: {order:?}");
    }
}

#[test]
fn every_order_that_is_allowed_comes_up() {
    let choose = |builder: TestBusBuilder| builder.only((check, charge, any, also));
    let orders: HashSet<_> = (0..SEEDS).map(|seed| order(Some(seed), choose)).collect();
    assert_eq!(orders.len(), 12, "four listeners, two of them related");
}

#[test]
fn one_seed_gives_one_order_and_0_the_declared_one() {
    for seed in 0..20 {
        assert_eq!(order(Some(seed), inline), order(Some(seed), inline));
    }
    assert_eq!(order(Some(0), inline), order(None, inline));
    let choose = |builder: TestBusBuilder| builder.only((first, second, any, also, last));
    assert_eq!(
        order(None, choose),
        ["first", "second", "any", "also", "last"]
    );
    assert_eq!(
        order(Some(1), choose),
        ["second", "first", "also", "any", "last"]
    );
}

#[test]
fn a_seed_says_the_same_of_two_listeners_when_others_are_left_out() {
    for seed in 2..50 {
        let turned = |order: Vec<&str>| place(&order, "first") < place(&order, "second");
        let all = turned(order(Some(seed), inline));
        let two = turned(order(Some(seed), |builder| builder.only((first, second))));
        assert_eq!(all, two, "seed {seed}");
    }
}

#[test]
fn queued_and_async_listeners_take_part() {
    let mut orders = HashSet::new();
    for seed in 0..SEEDS {
        let builder = TestBus::builder().state(Calls::default()).reorder(seed);
        let bus = builder.only((pack, label, confirm, thank, send)).build();
        bus.emit(Placed);
        let text = bus.settle_blocking().to_string();
        let at = |line: &str| {
            let place = text.find(line);
            place.unwrap_or_else(|| panic!("{line}: {text}"))
        };
        assert!(at("::pack: queued") < at("::send: ran"), "{text}");
        assert!(text.starts_with(&format!("timeline, with `reorder({seed})`:\n")));
        orders.insert((
            at("::pack: queued") < at("::label: queued"),
            at("::confirm: ran") < at("::thank: ran"),
        ));
    }
    assert_eq!(orders.len(), 4, "two queues and two async listeners");
}

#[test]
fn methods_of_an_instance_are_turned_among_each_other_only() {
    let mut orders = HashSet::new();
    for seed in 0..SEEDS {
        let calls = Calls::default();
        let builder = TestBus::builder().state(calls.clone()).reorder(seed);
        let bus = builder.only((first, last)).build();
        let _desk = bus.attach(Arc::new(Desk(calls.clone()))).unwrap();
        bus.emit(Placed);
        let order = calls.all().clone();
        let at = |name| place(&order, name);
        assert_eq!(order[..2], ["first", "last"], "linked listeners come first");
        assert!(at("open") < at("serve"), "seed {seed}: {order:?}");
        assert_eq!(at("close"), order.len() - 1, "seed {seed}: {order:?}");
        orders.insert(order);
    }
    assert_eq!(orders.len(), 12, "four methods, two of them related");
}

#[test]
fn patterns_are_turned_at_generic_events_that_come_later() {
    let mut orders = HashSet::new();
    for seed in 0..20 {
        let calls = Calls::default();
        let builder = TestBus::builder().state(calls.clone()).reorder(seed);
        let bus = builder.only((any, also)).build();
        bus.emit(Moved(7_u32));
        let order = calls.all().clone();
        orders.insert(order);
    }
    assert_eq!(
        orders,
        HashSet::from([vec!["any", "also"], vec!["also", "any"]])
    );
}

#[test]
fn a_pair_that_depends_on_order_is_found_and_named() {
    let failure = failure(|| {
        permute(2, |builder| {
            let calls = Calls::default();
            let bus = builder
                .state(calls.clone())
                .only((first, any, also))
                .build();
            bus.emit(Placed);
            calls.all().clone()
        });
    });

    let lines: Vec<_> = failure.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "the outcome depends on an order of listeners that nothing fixes",
            r#"  in the declared order: ["first", "any", "also"]"#,
            r#"  with `reorder(1)`: ["first", "also", "any"]"#,
        ]
    );
    assert_eq!(
        lines[3],
        "the first that `shop.placed` reached the other way round with `reorder(1)`:"
    );
    assert!(lines[4].starts_with("  `kit_reorder::any` at tests/kit_reorder.rs:"));
    assert!(lines[5].starts_with("  `kit_reorder::also` at tests/kit_reorder.rs:"));
}

#[test]
fn a_pair_of_which_one_ends_the_run_is_named() {
    let failure = failure(|| {
        permute(2, |builder| {
            let calls = Calls::default();
            let bus = builder.state(calls.clone()).only((refuse, accept)).build();
            bus.emit(Asked);
            calls.all().clone()
        });
    });

    assert!(
        failure.contains("\n  `kit_reorder::refuse` at "),
        "{failure}"
    );
    assert!(
        failure.contains("\n  `kit_reorder::accept` at "),
        "{failure}"
    );
}

#[test]
fn what_does_not_depend_on_the_order_passes_and_is_the_outcome() {
    let mut runs = 0;
    let sorted = permute(SEEDS, |builder| {
        runs += 1;
        let calls = Calls::default();
        let bus = inline(builder.state(calls.clone())).build();
        bus.emit(Placed);
        let mut order = calls.all().clone();
        order.sort_unstable();
        order
    });

    assert_eq!(runs, SEEDS);
    assert_eq!(
        sorted,
        [
            "also", "also", "any", "any", "charge", "check", "first", "last", "second"
        ]
    );
}

#[test]
fn related_listeners_are_never_turned() {
    permute(SEEDS, |builder| {
        let calls = Calls::default();
        let bus = builder.state(calls.clone()).only((check, charge)).build();
        bus.emit(Placed);
        calls.all().clone()
    });
}

#[test]
fn a_panic_is_told_with_its_seed_and_the_pair() {
    let turned = failure(|| {
        permute(2, |builder| {
            let bus = builder.state(Calls::default()).build();
            bus.emit(Placed);
            bus.settle_blocking().order((any, also));
        });
    });
    assert!(
        turned.starts_with("with `reorder(1)` the test panicked: `kit_reorder::any` was to be"),
        "{turned}"
    );
    assert!(
        turned.contains("timeline, with `reorder(1)`:\n"),
        "{turned}"
    );
    assert!(
        turned.contains("the other way round with `reorder(1)`:\n"),
        "{turned}"
    );

    let declared = failure(|| {
        permute(2, |builder| {
            let bus = builder.state(Calls::default()).build();
            bus.settle_blocking().heard_by(charge).once();
        });
    });
    assert!(declared.starts_with("in the declared order the test panicked: "));
}

#[test]
fn a_test_that_compares_nothing_is_refused() {
    let no_bus = failure(|| permute(2, |_builder| ()));
    assert!(
        no_bus.starts_with("no bus was built from the builder"),
        "{no_bus}"
    );

    let one = failure(|| permute(1, |builder| drop(builder.only(charge).build())));
    assert_eq!(one, "fewer than two orders compare nothing");
}

#[test]
fn the_builder_of_the_application_is_asked_for_each_run() {
    let calls = Calls::default();
    let mut built = 0;
    let builder = || {
        built += 1;
        Bus::builder().state(calls.clone()).only((first, second))
    };
    permute_from(4, builder, |builder| {
        builder.build().emit(Placed).report().ran()
    });

    assert_eq!(built, 4);
    assert_eq!(calls.all().len(), 8);
    assert_eq!(calls.all()[..4], ["first", "second", "second", "first"]);
}
