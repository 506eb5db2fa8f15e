//! Payloads that come from a peer: what does not fit is an error, and nothing is delivered.
#![cfg(feature = "wire")]

use std::sync::atomic::{AtomicU32, Ordering};

use event_transport::wire::{Codec, Json, Offer};
use serde::{Deserialize, Serialize};
use tidings::{AnyEvent, Bus, event, listener};

#[derive(Serialize, Deserialize)]
struct Tree(Vec<Tree>);

#[event("chat.say", serde, version = 2)]
#[derive(Serialize, Deserialize)]
struct Say {
    who: std::string::String,
    replies: Tree,
}

#[event("chat.local")]
struct Local;

static HEARD: AtomicU32 = AtomicU32::new(0);

#[listener]
fn hear(_: &Say) {
    HEARD.fetch_add(1, Ordering::Relaxed);
}

/// The words of the error, and that nothing was delivered.
fn refused(topic: &str, payload: &[u8]) -> String {
    let bus = Bus::builder().build().expect("the bus is complete");
    let error = Json
        .emit(&bus, topic, payload)
        .expect_err("it does not fit");
    assert_eq!(HEARD.load(Ordering::Relaxed), 0);
    error.to_string()
}

#[test]
fn a_payload_of_another_shape_names_the_place() {
    let error = refused("chat.say", br#"{"who":7,"replies":[]}"#);

    assert!(
        error.contains("`chat.say` at `who`: invalid type: integer `7`"),
        "{error}"
    );
}

#[test]
fn a_payload_with_bytes_after_it_is_refused() {
    let error = refused("chat.say", br#"{"who":"ann","replies":[]} {}"#);

    assert!(error.contains("trailing characters"), "{error}");
}

#[test]
fn a_payload_that_is_nested_without_end_is_refused() {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));

    let error = refused(
        "chat.say",
        format!(r#"{{"who":"ann","replies":{open}{close}}}"#).as_bytes(),
    );

    assert!(error.contains("recursion limit exceeded"), "{error}");
}

#[test]
fn a_payload_that_ends_anywhere_is_refused() {
    let whole = br#"{"who":"ann","replies":[[]]}"#;

    for end in 0..whole.len() {
        refused("chat.say", &whole[..end]);
    }
}

#[test]
fn a_payload_that_is_no_text_is_refused() {
    assert!(refused("chat.say", b"\xff\xfe").contains("utf-8"));
}

#[test]
fn topics_that_there_are_not_and_events_without_a_form_are_named() {
    let unknown = refused("chat.sai", b"{}");
    assert!(
        unknown.contains("no event has the topic `chat.sai`") && unknown.contains("chat.say"),
        "{unknown}"
    );

    let local = refused("chat.local", b"null");
    assert!(local.contains("not declared `#[event(serde)]`"), "{local}");
}

#[test]
fn an_event_without_a_form_is_not_written() {
    let bus = Bus::empty();
    let (sender, errors) = std::sync::mpsc::channel();
    let write = move |event: &AnyEvent<'_>| {
        let error = Json
            .write(event, &mut Vec::new())
            .expect_err("it has no form");
        sender.send(error.to_string()).expect("the test waits");
    };
    bus.on_topic("**", write)
        .expect("`**` is a pattern")
        .forever();

    bus.emit(Local);

    assert!(
        errors
            .recv()
            .unwrap()
            .contains("not declared `#[event(serde)]`")
    );
}

#[test]
fn an_offer_says_what_the_catalog_knows() {
    let events = tidings::catalog().events();
    let say = events
        .iter()
        .find(|event| event.topic() == "chat.say")
        .unwrap();

    let offer = Offer::of(say);

    assert_eq!(offer.topic, "chat.say");
    assert_eq!(offer.to_string(), "v2 (who: String, replies: Tree)");
}
