//! C1: the catalog as data. A program of its own, so that the whole catalog can be asserted.

use std::ops::ControlFlow;

use tidings::{AnyEvent, Context, Mode, Phase, Unheard, catalog, event, listener, listeners};

/// An order came in.
#[event("orders.placed", version = 2, stoppable, unheard = "error")]
struct Placed {
    id: u64,
    items: Vec<Option<String>>,
}

#[allow(dead_code, reason = "the catalog shows the declaration alone")]
#[event("orders.paid")]
struct Paid(u64, &'static str);

#[allow(dead_code, reason = "the catalog shows the declaration alone")]
#[event]
enum Alarm {
    Quiet,
    Loud { decibels: u32 },
    At(u8, u8),
}

#[event("pages.loaded")]
struct Loaded<T>(Vec<T>);

trait Gateway: Send + Sync {
    fn open(&self) -> bool;
}

struct Ledger;

/// Charges the card.
///
/// Once.
#[listener(id = "billing.charge", early, when = |e| e.id > 0 && !e.items.is_empty(), before = watch, after("stock.reserve"))]
fn charge(
    e: &Placed,
    _ledger: &Ledger,
    gateway: Option<&dyn Gateway>,
    _cx: Context<'_>,
) -> Result<Option<Paid>, String> {
    if gateway.is_some_and(|gateway| !gateway.open()) {
        return Err("the gateway is closed".to_owned());
    }
    Ok(Some(Paid(e.id, "card")))
}

#[listener(id = "stock.reserve", early)]
fn reserve(e: &Placed) -> (Vec<Alarm>, Option<Paid>) {
    (
        vec![Alarm::Quiet, Alarm::Loud { decibels: 3 }, Alarm::At(1, 2)],
        Some(Paid(e.id, "stock")),
    )
}

#[listener("orders.*", "pages.**", Alarm)]
async fn watch(_: &AnyEvent<'_>) {}

#[listener(late, emits(Alarm, Paid))]
fn finish(_: &Paid, _cx: Context<'_>) {}

#[listener]
fn stop(_: &Placed) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

struct Desk;

#[listeners]
impl Desk {
    #[listener]
    fn page(e: &Loaded<u8>) {
        assert!(!e.0.is_empty());
    }
}

/// Whether a type is declared here: with the feature `transport` there are events of connections as well.
fn is_own(type_name: &str) -> bool {
    type_name.starts_with("c_catalog::")
}

fn listener_of(function: &str) -> &'static tidings::ListenerInfo {
    catalog()
        .listeners()
        .iter()
        .find(|listener| listener.function() == function)
        .unwrap()
}

#[test]
fn c1_events_are_sorted_by_topic_with_type_version_fields_docs_and_place() {
    let events: Vec<_> = catalog()
        .events()
        .iter()
        .filter(|event| is_own(event.type_name()))
        .map(|event| {
            let fields: Vec<_> = event
                .fields()
                .iter()
                .map(|field| (field.name(), field.ty()))
                .collect();
            (event.topic(), event.type_name(), event.version(), fields)
        })
        .collect();

    assert_eq!(
        events,
        [
            (
                "alarm",
                "c_catalog::Alarm",
                1,
                vec![
                    ("Quiet", ""),
                    ("Loud", "{ decibels: u32 }"),
                    ("At", "(u8, u8)")
                ]
            ),
            (
                "orders.paid",
                "c_catalog::Paid",
                1,
                vec![("0", "u64"), ("1", "&'static str")]
            ),
            (
                "orders.placed",
                "c_catalog::Placed",
                2,
                vec![("id", "u64"), ("items", "Vec<Option<String>>")]
            ),
            (
                "pages.loaded",
                "c_catalog::Loaded",
                1,
                vec![("0", "Vec<T>")]
            ),
        ]
    );
    let placed = catalog().events()[2];
    assert_eq!(
        (placed.docs(), placed.is_stoppable(), placed.unheard()),
        ("An order came in.", true, Unheard::Error)
    );
    assert_eq!(
        (placed.location().file(), placed.location().line()),
        (file!(), 9)
    );
    let generic: Vec<_> = catalog()
        .events()
        .iter()
        .filter(|event| is_own(event.type_name()))
        .map(|event| event.is_generic())
        .collect();
    assert_eq!(generic, [false, false, false, true]);
}

#[test]
fn c1_listeners_are_sorted_by_phase_and_place() {
    let listeners: Vec<_> = catalog()
        .listeners()
        .iter()
        .map(|listener| (listener.id(), listener.phase()))
        .collect();

    assert_eq!(
        listeners,
        [
            ("billing.charge", Phase::Early),
            ("stock.reserve", Phase::Early),
            ("c_catalog::watch", Phase::Main),
            ("c_catalog::stop", Phase::Main),
            ("c_catalog::Desk::page", Phase::Main),
            ("c_catalog::finish", Phase::Late),
        ]
    );
}

#[test]
fn c1_a_listener_says_what_it_hears_and_how() {
    let watch = listener_of("watch");
    assert_eq!(watch.hears(), ["orders.*", "pages.**", "alarm"]);
    assert_eq!(watch.mode(), Mode::Async);

    let charge = listener_of("charge");
    assert_eq!(charge.hears(), ["orders.placed"]);
    assert_eq!(
        (charge.mode(), charge.module(), charge.crate_name()),
        (Mode::Inline, "c_catalog", "c_catalog")
    );
    assert_eq!(charge.docs(), "Charges the card.\n\nOnce.");
    assert_eq!(
        (charge.location().file(), charge.location().line()),
        (file!(), CHARGE_LINE)
    );
    assert_eq!(listener_of("Desk::page").hears(), ["pages.loaded"]);
}

const CHARGE_LINE: u32 = 39;

#[test]
fn c1_a_listener_says_its_condition_and_its_relations() {
    let charge = listener_of("charge");

    assert_eq!(
        charge.condition(),
        Some("|e| e.id > 0 && !e.items.is_empty()")
    );
    assert_eq!(charge.runs_before(), ["c_catalog::watch"]);
    assert_eq!(charge.runs_after(), ["stock.reserve"]);
    assert_eq!(listener_of("stop").condition(), None);
}

#[test]
fn c1_a_listener_says_the_state_it_needs() {
    let needs = listener_of("charge").needs();

    let needs: Vec<_> = needs
        .iter()
        .map(|need| (need.parameter(), need.type_name(), need.is_optional()))
        .collect();
    assert_eq!(
        needs,
        [
            ("_ledger", "c_catalog::Ledger", false),
            ("gateway", "dyn c_catalog::Gateway", true)
        ]
    );
    assert!(listener_of("finish").needs().is_empty());
}

#[test]
fn c1_a_listener_says_the_events_it_emits() {
    let emits = |function| {
        listener_of(function)
            .emits()
            .iter()
            .map(|event| event.topic())
            .collect::<Vec<_>>()
    };

    assert_eq!(emits("charge"), ["orders.paid"]);
    assert_eq!(emits("reserve"), ["alarm", "orders.paid"]);
    assert_eq!(emits("finish"), ["alarm", "orders.paid"]);
    assert!(emits("stop").is_empty());
}

#[test]
fn c1_the_listeners_of_an_event_are_told() {
    let of = |event: usize| {
        let listeners = catalog().listeners_of(catalog().events()[event]);
        listeners
            .iter()
            .map(|listener| listener.function())
            .collect::<Vec<_>>()
    };

    assert_eq!(of(0), ["watch"]);
    assert_eq!(of(1), ["watch", "finish"]);
    assert_eq!(of(2), ["charge", "reserve", "watch", "stop"]);
    assert_eq!(of(3), ["watch", "Desk::page"]);
}

#[test]
fn c1_the_catalog_is_printed_as_a_table() {
    let text = catalog().to_string();

    let (file, heads): (_, Vec<_>) = (
        file!(),
        text.lines()
            .filter(|line| !line.starts_with(' ') && is_own(line.split("  ").nth(1).unwrap()))
            .collect(),
    );
    assert_eq!(heads.len(), 4, "{text}");
    assert_eq!(
        heads[2],
        format!("orders.placed v2  c_catalog::Placed  ({file}:9:8)")
    );
    let condition = "billing.charge  early  inline  when |e| e.id > 0 && !e.items.is_empty()";
    assert!(
        text.contains(&format!("\n    {condition}  ({file}:{CHARGE_LINE}:4)\n")),
        "{text}"
    );
}

#[cfg(feature = "json")]
mod json {
    use serde_json::{Value, json};
    use tidings::{Catalog, catalog};

    fn parsed() -> Value {
        serde_json::from_str(&catalog().to_json()).expect("the catalog is JSON")
    }

    fn keys(value: &Value) -> Vec<&str> {
        value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    #[test]
    fn c1_the_json_has_a_format_version_and_both_lists() {
        let catalog = parsed();

        assert_eq!(keys(&catalog), ["events", "format_version", "listeners"]);
        assert_eq!(catalog["format_version"], json!(1));
        assert_eq!(Catalog::FORMAT_VERSION, 1);
    }

    #[test]
    fn c1_every_event_and_listener_has_the_same_keys_in_json() {
        let catalog = parsed();

        let events = [
            "docs",
            "fields",
            "generic",
            "place",
            "reply",
            "stoppable",
            "topic",
            "type",
            "version",
        ];
        let listeners = [
            "after",
            "before",
            "condition",
            "docs",
            "emits",
            "function",
            "hears",
            "id",
            "mode",
            "module",
            "phase",
            "place",
            "policy",
            "replies",
            "state",
        ];
        let own = |event: &&serde_json::Value| super::is_own(event["type"].as_str().unwrap());
        let own = catalog["events"].as_array().unwrap().iter().filter(own);
        assert_eq!(own.count(), 4);
        assert_eq!(catalog["listeners"].as_array().unwrap().len(), 6);
        for event in catalog["events"].as_array().unwrap() {
            assert_eq!(keys(event), events);
        }
        for listener in catalog["listeners"].as_array().unwrap() {
            assert_eq!(keys(listener), listeners);
        }
    }

    #[test]
    fn c1_an_event_in_json_says_what_it_is() {
        let place = json!({"file": file!(), "line": 9, "column": 8});

        assert_eq!(
            parsed()["events"][2],
            json!({
                "topic": "orders.placed",
                "type": "c_catalog::Placed",
                "version": 2,
                "fields": [{"name": "id", "type": "u64"}, {"name": "items", "type": "Vec<Option<String>>"}],
                "docs": "An order came in.",
                "stoppable": true,
                "reply": null,
                "generic": false,
                "place": place,
            })
        );
    }

    #[test]
    fn c1_a_listener_in_json_says_what_it_is() {
        let place = json!({"file": file!(), "line": super::CHARGE_LINE, "column": 4});

        assert_eq!(
            parsed()["listeners"][0],
            json!({
                "id": "billing.charge",
                "function": "charge",
                "module": "c_catalog",
                "hears": ["orders.placed"],
                "phase": "early",
                "before": ["c_catalog::watch"],
                "after": ["stock.reserve"],
                "mode": "inline",
                "policy": null,
                "replies": false,
                "condition": "|e| e.id > 0 && !e.items.is_empty()",
                "state": [
                    {"parameter": "_ledger", "type": "c_catalog::Ledger", "optional": false},
                    {"parameter": "gateway", "type": "dyn c_catalog::Gateway", "optional": true},
                ],
                "emits": ["orders.paid"],
                "docs": "Charges the card.\n\nOnce.",
                "place": place,
            })
        );
    }
}
