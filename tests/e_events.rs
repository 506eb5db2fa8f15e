//! E1, E3, E4, E5 and E6 where the program runs: what an event declaration gives.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Mutex;

use tidings::{AnyEvent, Bus, Event, EventInfo, Unheard, catalog, event, listener};

type Log = Mutex<Vec<String>>;

/// An order came in.
///
///   It is not paid yet.
#[event]
struct NewOrder {
    id: u64,
}

#[event("orders.weighed", version = 3)]
struct Weighed(f64, Rc<str>);

#[event]
struct HTTPServerStarted;

#[event("orders.state")]
enum State {
    Open,
    Closed { by: String },
    Moved(u8),
}

mod tidings_elsewhere {
    pub(crate) use ::tidings::*;
}

#[event("orders.elsewhere", crate = crate::tidings_elsewhere)]
struct Elsewhere;

#[event("orders.checked", stoppable, unheard = "warn")]
struct Checked;

/// Books the order.
#[listener]
fn book(e: &NewOrder, log: &Log) {
    log.lock().unwrap().push(format!("new {}", e.id));
}

#[listener]
fn weigh(e: &Weighed, log: &Log) {
    log.lock().unwrap().push(format!("weighed {} {}", e.0, e.1));
}

#[listener]
fn start(_: &HTTPServerStarted, log: &Log) {
    log.lock().unwrap().push("started".to_owned());
}

#[listener]
fn change(e: &State, log: &Log) {
    let text = match e {
        State::Open => "open".to_owned(),
        State::Closed { by } => format!("closed by {by}"),
        State::Moved(to) => format!("moved to {to}"),
    };
    log.lock().unwrap().push(text);
}

#[listener("orders.weighed")]
fn weigh_any(e: &AnyEvent<'_>, log: &Log) {
    let weight = e.downcast_ref::<Weighed>().map(|weighed| weighed.0);
    log.lock()
        .unwrap()
        .push(format!("{} v{} {weight:?}", e.topic(), e.version()));
}

#[listener(crate = crate::tidings_elsewhere)]
fn hear_elsewhere(_: &Elsewhere) {}

#[listener]
fn stop(_: &Checked) -> ControlFlow<()> {
    ControlFlow::Break(())
}

#[listener]
fn never(_: &Checked, log: &Log) {
    log.lock().unwrap().push("after the stop".to_owned());
}

fn logging_bus() -> (Bus, std::sync::Arc<Log>) {
    let log = std::sync::Arc::new(Log::default());
    (
        Bus::builder()
            .state(std::sync::Arc::clone(&log))
            .build()
            .unwrap(),
        log,
    )
}

fn info(topic: &str) -> &'static EventInfo {
    catalog()
        .events()
        .iter()
        .find(|event| event.topic() == topic)
        .unwrap()
}

#[test]
fn e1_named_tuple_and_unit_structs_and_enums_are_events() {
    let (bus, log) = logging_bus();

    bus.emit(NewOrder { id: 7 });
    bus.emit(HTTPServerStarted);
    bus.emit(State::Open);
    bus.emit(State::Closed {
        by: "Ada".to_owned(),
    });
    bus.emit(State::Moved(3));

    let heard = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(
        heard,
        ["new 7", "started", "open", "closed by Ada", "moved to 3"]
    );
}

#[test]
fn e3_the_topic_is_the_name_in_snake_case_unless_it_is_given() {
    const TOPIC: &str = NewOrder::TOPIC;

    assert_eq!(TOPIC, "new_order");
    assert_eq!(HTTPServerStarted::TOPIC, "http_server_started");
    assert_eq!(Weighed::TOPIC, "orders.weighed");
}

#[test]
fn e4_the_version_is_one_unless_it_is_given() {
    assert_eq!(NewOrder::VERSION, 1);
    assert_eq!(Weighed::VERSION, 3);
    assert_eq!(info("orders.weighed").version(), 3);
}

#[test]
fn e4_a_path_to_the_library_is_taken_instead_of_its_name() {
    let bus = Bus::builder().only(hear_elsewhere).build().unwrap();

    assert_eq!(bus.emit(Elsewhere).report().ran(), 1);
}

#[test]
fn e4_a_stoppable_event_is_stopped_by_its_listener() {
    let (bus, log) = logging_bus();

    let report = bus.emit(Checked).report();

    assert_eq!(report.ran(), 1);
    assert_eq!(report.stopped_by().unwrap().function(), "stop");
    assert!(log.lock().unwrap().is_empty());
    assert!(info("orders.checked").is_stoppable());
    assert!(!info("new_order").is_stoppable());
}

#[test]
fn e4_what_happens_unheard_is_in_the_catalog() {
    assert_eq!(info("orders.checked").unheard(), Unheard::Warn);
    assert_eq!(info("new_order").unheard(), Unheard::Ignore);
}

#[test]
fn e5_a_payload_that_threads_cannot_share_reaches_inline_listeners_and_patterns() {
    let (bus, log) = logging_bus();

    let report = bus.emit(Weighed(2.5, Rc::from("kg"))).report();

    assert_eq!(report.ran(), 2);
    let heard = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(heard, ["weighed 2.5 kg", "orders.weighed v3 Some(2.5)"]);
}

#[test]
fn e5_a_payload_that_threads_cannot_share_is_not_shown_to_another_thread() {
    let bus = Bus::empty();
    let look = |e: &AnyEvent<'_>| {
        assert_eq!(
            e.downcast_ref::<Weighed>().map(|weighed| weighed.0),
            Some(2.5)
        );
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                assert_eq!(e.topic(), "orders.weighed");
                e.downcast_ref::<Weighed>().is_some()
            });
            assert!(other.join().is_err(), "the payload was shown");
        });
    };
    bus.on_topic("orders.weighed", look).unwrap().forever();

    assert_eq!(bus.emit(Weighed(2.5, Rc::from("kg"))).report().ran(), 1);
}

#[test]
fn e6_doc_comments_are_in_the_catalog() {
    assert_eq!(
        info("new_order").docs(),
        "An order came in.\n\n  It is not paid yet."
    );
    assert_eq!(info("orders.weighed").docs(), "");

    let book = catalog()
        .listeners()
        .iter()
        .find(|listener| listener.function() == "book")
        .unwrap();
    assert_eq!(book.docs(), "Books the order.");
}
