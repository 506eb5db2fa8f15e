//! C1: how the deliveries of each listener are carried, in the catalog.

use std::sync::Arc;
use std::time::Duration;

use tidings::{Bus, FailureKind, ListenerInfo, Overlap, catalog, event, listener, listeners};

#[event]
struct Placed;

#[listener(early)]
fn plain(_: &Placed) {}

#[listener]
async fn unlimited(_: &Placed) {}

const SIZE: usize = 4;

#[listener(limit = SIZE * 2, overlap = "latest", timeout = "1s500us")]
async fn limited(_: &Placed) {}

struct Mailer;

#[listeners]
impl Mailer {
    #[listener(limit = 3, overlap = "drop")]
    async fn confirm(&self, _: &Placed) -> Result<(), &'static str> {
        let Mailer = self;
        std::future::ready(Err("out of paper")).await
    }
}

fn listener_of(function: &str) -> &'static ListenerInfo {
    catalog()
        .listeners()
        .iter()
        .find(|listener| listener.function() == function)
        .unwrap()
}

type Carried = (usize, Overlap, Option<Duration>);

fn policy_of(listener: &ListenerInfo) -> Option<Carried> {
    let policy = listener.policy()?;
    Some((
        policy.max_in_flight(),
        policy.on_overlap(),
        policy.time_limit(),
    ))
}

#[test]
fn c1_an_async_listener_says_how_its_deliveries_are_carried() {
    assert_eq!(
        policy_of(listener_of("limited")),
        Some((8, Overlap::Latest, Some(Duration::from_micros(1_000_500))))
    );
    assert_eq!(
        policy_of(listener_of("unlimited")),
        Some((1024, Overlap::Parallel, None))
    );
}

#[test]
fn c1_what_runs_inside_emit_has_no_policy() {
    assert_eq!(policy_of(listener_of("plain")), None);
}

#[test]
fn c1_the_catalog_says_what_the_attribute_says_whatever_a_bus_makes_of_it() {
    let bus = Bus::builder().tune(limited, |policy| policy.limit(1));
    drop(bus.build().unwrap());

    assert_eq!(listener_of("limited").policy().unwrap().max_in_flight(), 8);
}

#[test]
fn c1_a_method_says_it_too_where_a_failure_names_it() {
    let bus = Bus::builder()
        .only(plain)
        .on_failure(|_| {})
        .build()
        .unwrap();
    bus.attach(Arc::new(Mailer)).unwrap().forever();

    let report = futures::executor::block_on(async { bus.emit(Placed).await });

    let failure = &report.failures()[0];
    assert_eq!(failure.kind(), FailureKind::Error);
    assert_eq!(
        policy_of(failure.listener().unwrap()),
        Some((3, Overlap::Drop, None))
    );
}

#[test]
fn c1_an_overlap_is_printed_as_attributes_write_it() {
    let words = [
        Overlap::Parallel,
        Overlap::Serial,
        Overlap::Latest,
        Overlap::Drop,
    ]
    .map(|overlap| overlap.to_string());

    assert_eq!(words, ["parallel", "serial", "latest", "drop"]);
}

#[cfg(feature = "json")]
#[test]
fn c1_the_json_says_how_deliveries_are_carried() {
    use serde_json::{Value, json};

    let catalog: Value = serde_json::from_str(&catalog().to_json()).expect("the catalog is JSON");
    let carried: Vec<_> = catalog["listeners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| {
            json!([
                l["function"],
                l["policy"]["limit"],
                l["policy"]["overlap"],
                l["policy"]["timeout_ms"]
            ])
        })
        .collect();

    assert_eq!(
        carried,
        [
            json!(["plain", null, null, null]),
            json!(["unlimited", 1024, "parallel", null]),
            // Half a millisecond is not shown as none.
            json!(["limited", 8, "latest", 1001]),
        ]
    );
}
