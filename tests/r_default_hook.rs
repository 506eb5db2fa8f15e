//! R3: without a hook of its own a bus tells `tracing`, and where nobody subscribes to that, stderr.
#![cfg(feature = "tracing")]

#[path = "support/child.rs"]
mod child;

use std::fmt;
use std::sync::{Arc, Mutex};

use tidings::{Bus, event, listener};
use tracing::field::{Field, Visit};
use tracing::subscriber::with_default;
use tracing::{Level, Metadata, Subscriber, span};

#[event]
struct Placed;

#[listener]
fn charge(_: &Placed) -> Result<(), String> {
    Err("no card".to_owned())
}

#[listener]
fn pack(_: &Placed) {
    panic!("no box");
}

#[event]
struct Shipped;

#[listener]
fn track(_: &Shipped) -> Result<(), String> {
    Err("no carrier".to_owned())
}

#[event(unheard = "warn")]
struct Forgotten;

/// Keeps every event as text.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<String>>>);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tidings"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Fields(String);

impl Fields {
    fn add(&mut self, field: &Field, value: impl AsRef<str>) {
        self.0.extend([" ", field.name(), "=", value.as_ref()]);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }
}

/// A subscriber that cannot write.
struct Broken;

impl Subscriber for Broken {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        panic!("the disk is full");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn bus() -> Bus {
    Bus::builder().build().unwrap()
}

#[test]
fn r3_with_a_tracing_subscriber_every_failure_is_an_error_event() {
    let collector = Collector::default();

    with_default(collector.clone(), || {
        let bus = bus();
        bus.emit(Placed);
        bus.emit(Shipped);
        bus.emit(Shipped);
    });

    let events = collector.0.lock().unwrap();
    let expected = [
        ("charge", "error", "no card"),
        ("pack", "panic", "no box"),
        ("track", "error", "no carrier"),
        ("track", "error", "no carrier"),
    ];
    assert_eq!(events.len(), expected.len(), "{events:?}");
    for (event, (function, kind, message)) in events.iter().zip(expected) {
        assert!(event.starts_with("ERROR"), "{event}");
        assert!(
            event.contains(&format!(" listener=r_default_hook::{function}")),
            "{event}"
        );
        assert!(event.contains(&format!(" kind={kind}")), "{event}");
        assert!(event.contains(&format!(" message={message}")), "{event}");
    }
}

#[test]
fn r3_an_unheard_event_is_a_tracing_warning_once_per_bus() {
    let collector = Collector::default();

    with_default(collector.clone(), || {
        let bus = bus();
        bus.emit(Forgotten);
        bus.emit(Forgotten);
    });

    let events = collector.0.lock().unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].starts_with(
            "WARN message=nobody heard `forgotten`, declared at tests/r_default_hook.rs:"
        ),
        "{events:?}"
    );
}

#[test]
fn r3_without_a_subscriber_a_failure_is_printed_once_per_listener() {
    if child::is_child() {
        let bus = bus();
        for _ in 0..3 {
            bus.emit(Placed);
            bus.emit(Shipped);
        }
        return;
    }

    let printed =
        child::printed_by("r3_without_a_subscriber_a_failure_is_printed_once_per_listener");

    let said = |function: &str, what: &str| {
        let line = format!("tidings: r_default_hook::{function} (tests/r_default_hook.rs:");
        printed
            .iter()
            .filter(|printed| printed.starts_with(&line) && printed.contains(what))
            .count()
    };
    assert_eq!(printed.len(), 3, "{printed:?}");
    assert_eq!(said("charge", "): error: no card"), 1, "{printed:?}");
    assert_eq!(said("pack", "): panic: no box"), 1, "{printed:?}");
    assert_eq!(said("track", "): error: no carrier"), 1, "{printed:?}");
    assert!(printed[0].ends_with(
        "(further failures of this listener are not printed; set `on_failure` or a tracing subscriber to see all)"
    ));
}

#[test]
fn r3_a_subscriber_on_one_thread_does_not_silence_the_others() {
    if child::is_child() {
        let collector = Collector::default();
        with_default(collector.clone(), || {
            let elsewhere = std::thread::spawn(|| drop(bus().emit(Shipped)));
            elsewhere.join().unwrap();
        });
        assert!(collector.0.lock().unwrap().is_empty());
        return;
    }

    let printed = child::printed_by("r3_a_subscriber_on_one_thread_does_not_silence_the_others");

    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(printed[0].contains("): error: no carrier"));
}

#[test]
fn r3_a_subscriber_that_panics_ends_neither_the_emission_nor_the_report() {
    if child::is_child() {
        with_default(Broken, || {
            let bus = bus();
            let report = bus.emit(Placed).report();
            assert_eq!(
                report.to_string().lines().next(),
                Some("0 ran, 0 skipped, 2 failed, 0 queued")
            );
            assert_eq!(bus.emit(Forgotten).report().failed(), 0);
        });
        return;
    }

    let printed =
        child::printed_by("r3_a_subscriber_that_panics_ends_neither_the_emission_nor_the_report");

    assert_eq!(printed.len(), 3, "{printed:?}");
    assert!(
        printed
            .iter()
            .all(|line| line.contains("panicked: the disk is full; it was told: ")),
        "{printed:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn r3_a_program_whose_stderr_cannot_be_written_goes_on() {
    if child::is_child() {
        let report = bus().emit(Placed).report();
        assert_eq!(report.failed(), 2);
        return;
    }

    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    child::passes_with_stderr("r3_a_program_whose_stderr_cannot_be_written_goes_on", full);
}
