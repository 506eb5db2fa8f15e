//! Requests under the test kit: an answerer is replaced, fails or is slow, and the record shows it.
#![cfg(feature = "test")]

use std::error::Error;
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{Bus, Code, Failure, RequestErrorKind, event, listener};

#[event(reply = u64)]
struct GetPrice {
    pieces: u64,
}

struct Catalogue;

#[listener(reply)]
async fn price(_: &GetPrice, _: &Catalogue) -> u64 {
    panic!("no test asks the catalogue")
}

#[event(reply = String)]
struct GetName(u32);

#[listener(reply, when = |e| e.0 > 0)]
fn name(e: &GetName) -> Result<String, std::num::ParseIntError> {
    format!("{}", e.0)
        .parse::<u32>()
        .map(|n| format!("item {n}"))
}

#[listener]
fn observe(_: &GetName) {}

/// Nobody answers it, and that is no mistake in a test of a part of the program.
#[event(reply = u8)]
struct GetLevel;

fn builder() -> tidings::test::TestBusBuilder {
    TestBus::builder().replace_reply(price, |e: &GetPrice| e.pieces * 10)
}

#[test]
fn a_replaced_async_answerer_answers_without_its_state_and_is_in_the_record() {
    let bus = builder().build();
    let price_of_four = bus.block_on(bus.request(GetPrice { pieces: 4 }));

    assert_eq!(price_of_four.unwrap(), 40);
    let run = bus.settle_blocking();
    run.heard_by(price).once().ok();
    run.emitted::<GetPrice>().once();
}

#[test]
fn a_replaced_plain_answerer_answers_and_may_fail() {
    let bus = builder()
        .replace_reply(name, |e: &GetName| match e.0 {
            7 => Err("there is no seven"),
            n => Ok(format!("fake {n}")),
        })
        .build();
    let request = |number| bus.request(GetName(number)).now();

    assert_eq!(request(1).unwrap(), "fake 1");
    let error = request(7).unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Failed);
    assert_eq!(error.source().unwrap().to_string(), "there is no seven");
    // Its condition is its own.
    assert_eq!(request(0).unwrap_err().kind(), RequestErrorKind::NoListener);
}

#[test]
fn a_replacement_that_panics_leaves_nobody_waiting() {
    let bus = TestBus::builder()
        .replace_reply(price, |_: &GetPrice| -> u64 { panic!("closed") })
        .replace_reply(name, |_: &GetName| -> String { panic!("closed") })
        .build();

    let later = bus.block_on(bus.request(GetPrice { pieces: 4 }));
    assert_eq!(later.unwrap_err().kind(), RequestErrorKind::Dropped);
    let now = bus.request(GetName(1)).now();
    assert_eq!(now.unwrap_err().kind(), RequestErrorKind::Dropped);
}

#[test]
fn a_stub_answers_instead_of_all_listeners() {
    let bus = builder()
        .stub_reply(|_: &GetName| "stub".to_owned())
        .stub_reply(|_: &GetLevel| 3)
        .build();

    assert_eq!(bus.request(GetName(0)).now().unwrap(), "stub");
    assert_eq!(bus.request(GetLevel).now().unwrap(), 3);
}

#[test]
fn an_answerer_that_the_test_lets_fail_answers_with_that_error() {
    let bus = TestBus::builder().state(Catalogue).build();
    bus.fail((price, name));

    let plain = bus.request(GetName(1)).now().unwrap_err();
    let later = bus
        .block_on(bus.request(GetPrice { pieces: 4 }))
        .unwrap_err();

    for error in [plain, later] {
        assert_eq!(error.kind(), RequestErrorKind::Failed);
        assert_eq!(
            error.source().unwrap().to_string(),
            "an error that the test asked for"
        );
    }
}

#[test]
fn an_answerer_that_the_test_lets_panic_or_wait_is_what_it_is_in_the_application() {
    let bus = builder().build();
    bus.panic(name);
    let error = bus.request(GetName(1)).now().unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Dropped);

    bus.delay(price, Duration::from_secs(60));
    let request = bus
        .request(GetPrice { pieces: 4 })
        .within(Duration::from_secs(10));
    let error = bus.block_on(request).unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::TimedOut);
    assert_eq!(bus.elapsed(), Duration::from_secs(10));
}

#[test]
fn a_request_that_is_delivered_twice_is_answered_once() {
    let bus = builder().build();
    bus.duplicate::<GetName>();

    assert_eq!(bus.request(GetName(1)).now().unwrap(), "item 1");
    bus.settle_blocking().heard_by(name).times(2);
}

#[test]
fn a_replacement_must_answer_where_its_listener_does() {
    let problems = |build: fn() -> TestBus| {
        let panic = std::panic::catch_unwind(build).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    };
    let silent = problems(|| builder().replace(name, |_: &GetName| ()).build());
    let talkative = problems(|| {
        builder()
            .replace_reply(observe, |_: &GetName| String::new())
            .build()
    });

    assert!(
        silent.contains("[not-replaceable] `kit_replies::name` answers a request"),
        "{silent}"
    );
    assert!(silent.contains("help: write `replace_reply`"), "{silent}");
    assert!(
        talkative.contains("`kit_replies::observe` answers no request"),
        "{talkative}"
    );
}

#[test]
fn on_a_bus_of_the_application_it_is_a_build_error_that_nobody_answers() {
    let quiet = |_: &Failure| ();
    let error = Bus::builder()
        .state(Catalogue)
        .on_failure(quiet)
        .build()
        .unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert_eq!(problem.code(), Code::Unanswered);
    assert!(
        problem
            .message()
            .starts_with("no listener of the program answers `get_level`")
    );
    assert_eq!(problem.location().unwrap().line(), 37);
    // One without linked listeners has nothing to do with it.
    drop(Bus::empty());
}
