//! S4: events by name, from JSON and to JSON.
#![cfg(feature = "json")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tidings::{AnyEvent, Bus, EmitJsonError, EmitJsonErrorKind, event, listener};

#[event(serde)]
#[derive(Serialize, Deserialize)]
struct NewOrder {
    order_id: u64,
    items: Vec<Item>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    price: u32,
}

#[event("orders.strict", serde)]
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    id: u8,
}

#[event("orders.tree", serde)]
#[derive(Serialize, Deserialize)]
struct Tree {
    children: Vec<Tree>,
}

#[event("orders.value", serde)]
#[derive(Serialize, Deserialize)]
struct Value(serde_json::Value);

#[event("orders.unit", serde)]
#[derive(Serialize, Deserialize)]
struct Unit;

#[event("orders.keys", serde)]
#[derive(Serialize, Deserialize)]
struct Keys(HashMap<Vec<u8>, u8>);

#[event("orders.silent")]
struct Silent;

#[event("orders.generic")]
struct Generic<T>(T);

type Log = Mutex<Vec<String>>;

#[listener("**")]
fn audit(e: &AnyEvent<'_>, log: &Log) {
    let json = e.to_json().unwrap_or_else(|error| error.to_string());
    log.lock().unwrap().push(format!("{} {json}", e.topic()));
}

fn bus() -> (Bus, Arc<Log>) {
    let log = Arc::new(Log::default());
    (Bus::builder().state(Arc::clone(&log)).build().unwrap(), log)
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// The error of an emission that must have delivered nothing.
#[track_caller]
fn refused(topic: &str, json: &str) -> EmitJsonError {
    let (bus, log) = bus();
    let error = bus
        .emit_json(topic, json)
        .expect_err("the payload does not fit");
    assert!(taken(&log).is_empty(), "something was delivered");
    error
}

#[test]
fn s4_an_event_is_emitted_by_its_topic() {
    let (bus, log) = bus();

    let json =
        r#" {"items": [{"price": 3, "name": "Coffee"}], "order_id": 123, "unknown": [[[]]]} "#;
    let report = bus.emit_json("new_order", json).unwrap().report();
    let unit = bus.emit_json("orders.unit", "null").unwrap().report();

    assert_eq!((report.ran(), unit.ran()), (1, 1));
    assert_eq!(
        taken(&log),
        [
            r#"new_order {"order_id":123,"items":[{"name":"Coffee","price":3}],"note":null}"#,
            "orders.unit null",
        ]
    );
}

#[test]
fn s4_an_emission_by_name_is_awaited_like_any_other() {
    let (bus, _log) = bus();

    let report = futures::executor::block_on(async {
        bus.emit_json("orders.strict", r#"{"id":1}"#).unwrap().await
    });

    assert_eq!(report.ran(), 1);
}

#[test]
fn s4_an_unknown_topic_is_refused_with_the_nearest_ones() {
    let near = refused("orders.strikt", "{}");
    let far = refused("%%%", "{}");

    assert!(matches!(
        near.kind(),
        EmitJsonErrorKind::UnknownTopic { .. }
    ));
    assert!(
        near.to_string()
            .starts_with("no event has the topic `orders.strikt`; did you mean `orders.strict`"),
        "{near}"
    );
    assert_eq!(far.to_string(), "no event has the topic `%%%`");
    assert!(near.path().is_none() && near.json_error().is_none());
}

#[test]
fn s4_an_event_that_is_not_declared_serde_is_refused() {
    for topic in ["orders.silent", "orders.generic"] {
        let error = refused(topic, "null");

        assert_eq!(error.kind(), &EmitJsonErrorKind::NotSerde);
        assert_eq!(
            error.to_string(),
            format!(
                "the event `{topic}` is not declared `#[event(serde)]`, so it has no JSON form"
            )
        );
    }
}

/// Asserts that the payload is refused at a path, with the reader's words behind it.
#[track_caller]
fn assert_refused(topic: &str, json: &str, path: &str, words: &str) {
    let error = refused(topic, json);
    assert_eq!(error.kind(), &EmitJsonErrorKind::Payload);
    assert_eq!(error.path(), Some(path), "{error}");
    let place = if path == "." {
        String::new()
    } else {
        format!(" at `{path}`")
    };
    let start = format!("the payload does not fit the event `{topic}`{place}: {words}");
    assert!(error.to_string().starts_with(&start), "{error}");
    assert!(
        error
            .json_error()
            .is_some_and(|source| error.to_string().ends_with(&source.to_string()))
    );
}

#[test]
fn s4_a_missing_field_is_refused_by_name() {
    assert_refused(
        "new_order",
        r#"{"items": []}"#,
        ".",
        "missing field `order_id`",
    );
    assert_refused(
        "new_order",
        r#"{"order_id": 1, "items": [{"name": "a"}]}"#,
        "items[0]",
        "missing field `price`",
    );
}

#[test]
fn s4_an_extra_field_is_refused_where_the_event_denies_it() {
    assert_refused(
        "orders.strict",
        r#"{"id": 1, "di": 2}"#,
        "di",
        "unknown field `di`, expected `id`",
    );
}

#[test]
fn s4_a_wrong_type_is_refused_with_its_path() {
    assert_refused(
        "new_order",
        r#"{"order_id": "x", "items": []}"#,
        "order_id",
        "invalid type: string \"x\", expected u64",
    );
    let third =
        r#"{"order_id": 1, "items": [{"name": "a", "price": 1}, {"name": "b", "price": -1}]}"#;
    assert_refused(
        "new_order",
        third,
        "items[1].price",
        "invalid value: integer `-1`, expected u32",
    );
    assert_refused(
        "orders.strict",
        r#"{"id": 256}"#,
        "id",
        "invalid value: integer `256`, expected u8",
    );
    assert_refused("orders.strict", "[]", ".", "invalid length 0");
    assert_refused("orders.strict", "7", ".", "invalid type: integer `7`");
}

#[test]
fn s4_what_is_no_json_is_refused() {
    assert_refused("orders.strict", "", ".", "EOF while parsing");
    assert_refused("orders.strict", "id: 1", ".", "expected value");
    assert_refused(
        "orders.strict",
        r#"{"id": 1"#,
        ".",
        "EOF while parsing an object",
    );
    assert_refused(
        "orders.strict",
        r#"{"id": 1, "id": 2}"#,
        ".",
        "duplicate field `id`",
    );
}

#[test]
fn s4_a_payload_that_ends_too_early_is_refused_at_the_last_place_with_a_name() {
    assert_refused(
        "new_order",
        r#"{"order_id": 1, "items": [{"name": "a""#,
        "items[0]",
        "EOF while parsing an object",
    );
    assert_refused(
        "new_order",
        r#"{"order_id": 1, "items": [{"name": "a"#,
        "items[0].name",
        "EOF while parsing a string",
    );
}

#[test]
fn s4_bytes_behind_the_payload_are_refused() {
    assert_refused(
        "orders.strict",
        r#"{"id": 1} {"id": 2}"#,
        ".",
        "trailing characters",
    );
    assert_refused("orders.unit", "null,", ".", "trailing characters");
}

/// Ten megabytes of opening brackets behind `start`.
fn nested(start: &str, open: &str) -> String {
    let depth = 10 * 1024 * 1024 / open.len();
    format!("{start}{}", open.repeat(depth))
}

#[test]
fn s4_ten_megabytes_of_nesting_are_refused_without_an_overflow() {
    let cases = [
        ("orders.value", nested("", "[")),
        ("orders.value", nested("", "{\"a\":")),
        ("orders.tree", nested("", "{\"children\":[")),
        ("orders.strict", nested("", "[")),
        ("new_order", nested("{\"unknown\":", "[")),
        ("new_order", nested("{\"order_id\":", "[")),
    ];

    for (topic, json) in cases {
        let error = refused(topic, &json);

        assert_eq!(error.kind(), &EmitJsonErrorKind::Payload, "{topic}");
        assert!(
            error.to_string().len() < 10_000,
            "the message of {topic} has {} bytes",
            error.to_string().len()
        );
    }
}

#[test]
fn s4_ten_megabytes_of_closed_nesting_in_an_unknown_field_are_skipped_without_an_overflow() {
    let (bus, log) = bus();
    let half = 5 * 1024 * 1024;
    let json = format!(
        "{{\"order_id\":1,\"items\":[],\"unknown\":{}{}}}",
        "[".repeat(half),
        "]".repeat(half)
    );

    let report = bus.emit_json("new_order", &json).unwrap().report();

    assert_eq!(report.ran(), 1);
    assert_eq!(
        taken(&log),
        [r#"new_order {"order_id":1,"items":[],"note":null}"#]
    );
}

#[test]
fn s4_an_event_is_written_as_json_only_if_it_is_declared_serde() {
    let (bus, log) = bus();

    bus.emit(Strict { id: 7 });
    bus.emit(Silent);
    bus.emit(Generic(1));
    bus.emit(Keys(HashMap::from([(vec![1], 1)])));

    assert_eq!(
        taken(&log),
        [
            r#"orders.strict {"id":7}"#,
            "orders.silent the event `orders.silent` is not declared `#[event(serde)]`, so it has no JSON form",
            "orders.generic the event `orders.generic` is not declared `#[event(serde)]`, so it has no JSON form",
            "orders.keys the event `orders.keys` was not written as JSON: key must be a string",
        ]
    );
}
