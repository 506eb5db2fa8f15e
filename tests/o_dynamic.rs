//! O3: subscriptions.

mod support;

use std::sync::{Arc, Mutex};

use support::Recorder;
use tidings::{AnyEvent, Bus, Event, Subscription, emit, event, listener, listeners};

#[event("shop.placed")]
struct Placed;

#[event("shop.shipped")]
struct Shipped;

#[listener(late)]
fn linked_late(_: &Placed, log: &Recorder) {
    log.note("linked, late");
}

#[listener]
fn linked(_: &Placed, log: &Recorder) {
    log.note("linked");
}

#[event("paged")]
struct Page<T>(T);

struct Mailer(Arc<Recorder>);

#[listeners]
impl Mailer {
    #[listener(late)]
    fn archive(&self, _: &Placed) {
        self.0.note("method, late");
    }

    #[listener]
    fn confirm(&self, _: &Placed) {
        self.0.note("method");
    }
}

struct Fixture {
    bus: Bus,
    log: Arc<Recorder>,
}

fn fixture() -> Fixture {
    let log = Arc::new(Recorder::default());
    let bus = Bus::builder().state(Arc::clone(&log)).build().unwrap();
    Fixture { bus, log }
}

impl Fixture {
    fn on<E: Event>(&self, what: &'static str) -> Subscription {
        let log = Arc::clone(&self.log);
        self.bus.on(move |_: &E| log.note(what))
    }

    fn on_topic(&self, pattern: &str, what: &'static str) -> Subscription {
        let log = Arc::clone(&self.log);
        self.bus
            .on_topic(pattern, move |_: &AnyEvent<'_>| log.note(what))
            .unwrap()
    }

    fn heard<E: Event>(&self, event: E) -> Vec<String> {
        self.bus.emit(event);
        self.log.take()
    }
}

#[test]
fn o3_subscriptions_come_after_linked_listeners_in_subscription_order() {
    let fixture = fixture();
    let _one = fixture.on::<Placed>("one");
    let _two = fixture.on_topic("shop.*", "two, by topic");
    let _three = fixture
        .bus
        .attach(Arc::new(Mailer(Arc::clone(&fixture.log))))
        .unwrap();
    let log = Arc::clone(&fixture.log);
    let _four = fixture.bus.once(move |_: &Placed| log.note("four, once"));
    let _five = fixture.on::<Placed>("five");

    let always = [
        "linked",
        "linked, late",
        "one",
        "two, by topic",
        "method",
        "method, late",
    ];
    assert_eq!(
        fixture.heard(Placed),
        [&always[..], &["four, once", "five"]].concat()
    );
    assert_eq!(fixture.heard(Placed), [&always[..], &["five"]].concat());
}

#[test]
fn o3_the_order_is_kept_when_one_in_the_middle_leaves_and_another_comes() {
    let fixture = fixture();
    let _one = fixture.on::<Shipped>("one");
    let two = fixture.on::<Shipped>("two");
    let _three = fixture.on::<Shipped>("three");

    drop(two);
    let _four = fixture.on::<Shipped>("four");

    assert_eq!(fixture.heard(Shipped), ["one", "three", "four"]);
}

#[test]
fn o3_a_subscription_made_during_an_emission_hears_the_next() {
    let fixture = fixture();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (log, slot, bus) = (
        Arc::clone(&fixture.log),
        Arc::clone(&kept),
        fixture.bus.downgrade(),
    );
    let _first = fixture.bus.on(move |_: &Shipped| {
        let log = Arc::clone(&log);
        let new = bus
            .upgrade()
            .unwrap()
            .on(move |_: &Shipped| log.note("new"));
        slot.lock().unwrap().push(new);
    });

    assert!(fixture.heard(Shipped).is_empty());
    assert_eq!(fixture.heard(Shipped), ["new"]);
    assert_eq!(fixture.heard(Shipped), ["new", "new"]);
}

#[test]
fn o3_a_subscription_dropped_during_an_emission_still_hears_that_one() {
    let fixture = fixture();
    let slot = Arc::new(Mutex::new(None));
    let taken = Arc::clone(&slot);
    let _first = fixture
        .bus
        .on(move |_: &Shipped| drop(taken.lock().unwrap().take()));
    *slot.lock().unwrap() = Some(fixture.on::<Shipped>("leaving"));

    assert_eq!(fixture.heard(Shipped), ["leaving"]);
    assert!(fixture.heard(Shipped).is_empty());
}

#[test]
fn o3_a_nested_emission_is_a_next_one() {
    let fixture = fixture();
    let kept = Arc::new(Mutex::new(None));
    let (log, slot, bus) = (
        Arc::clone(&fixture.log),
        Arc::clone(&kept),
        fixture.bus.downgrade(),
    );
    let _first = fixture.bus.once(move |_: &Shipped| {
        let new = bus
            .upgrade()
            .unwrap()
            .on(move |_: &Shipped| log.note("new"));
        *slot.lock().unwrap() = Some(new);
        emit(Shipped);
    });

    assert_eq!(
        fixture.heard(Shipped),
        ["new"],
        "heard in the nested emission only"
    );
}

#[test]
fn o3_a_subscriber_to_one_event_does_not_hear_another() {
    let fixture = fixture();
    let _shipped = fixture.on::<Shipped>("shipped");

    assert_eq!(fixture.heard(Placed), ["linked", "linked, late"]);
    assert_eq!(fixture.heard(Shipped), ["shipped"]);
}

#[test]
fn o3_forever_keeps_a_listener_for_as_long_as_the_bus_lives() {
    let fixture = fixture();
    fixture.on::<Shipped>("forever").forever();

    assert_eq!(fixture.heard(Shipped), ["forever"]);
    let Fixture { bus, log } = fixture;
    drop(bus);
    assert_eq!(Arc::strong_count(&log), 1, "the closure went with the bus");
}

#[test]
fn o3_a_subscription_may_outlive_its_bus() {
    let fixture = fixture();
    let subscription = fixture.on::<Shipped>("outlives");
    let Fixture { bus, log } = fixture;

    drop(bus);
    drop(subscription);

    assert_eq!(Arc::strong_count(&log), 1);
}

#[test]
fn o3_generic_events_have_subscriptions_of_their_own_for_each_instantiation() {
    let fixture = fixture();
    let _numbers = fixture.on::<Page<u32>>("numbers");
    let _by_topic = fixture.on_topic("paged", "by topic");
    let _texts = fixture.on::<Page<String>>("texts");

    assert_eq!(fixture.heard(Page(1_u32)), ["numbers", "by topic"]);
    assert_eq!(fixture.heard(Page(String::new())), ["by topic", "texts"]);
    assert_eq!(fixture.heard(Page(1_u8)), ["by topic"]);
}

#[test]
fn o3_a_pattern_subscription_leaves_every_event_it_heard() {
    let fixture = fixture();
    let everything = fixture.on_topic("**", "everything");

    assert_eq!(fixture.heard(Shipped), ["everything"]);
    assert_eq!(fixture.heard(Page(1_u8)), ["everything"]);
    drop(everything);
    assert!(fixture.heard(Shipped).is_empty());
    assert!(fixture.heard(Page(1_u8)).is_empty());
    assert!(
        fixture.heard(Page(1_u16)).is_empty(),
        "an event that comes later does not bring it back"
    );
}
