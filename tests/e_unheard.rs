//! E4: what happens to an event that nobody hears. A program of its own, since `tracing` remembers that a subscriber was set.
#![cfg(feature = "tracing")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tidings::{Bus, FailureKind, event, listener};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

#[event]
struct Ignored;

#[event("alarms.warned", unheard = "warn")]
struct Warned;

#[event("alarms.failed", unheard = "error")]
struct Failed {
    loud: bool,
}

#[event("alarms.generic", unheard = "error")]
struct Generic<T>(T);

#[listener]
fn hear_number(e: &Generic<u8>) {
    assert!(e.0 > 0);
}

#[listener(when = |e| e.loud)]
fn hear(_: &Failed) {}

#[listener]
fn refuse(_: &Warned) -> Result<(), String> {
    Err("no".to_owned())
}

/// Keeps every `tracing` event as a line.
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(format!(
            "{} {}",
            event.metadata().level(),
            event.metadata().target()
        ));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The lines of what `run` does on this thread.
fn traced(run: impl FnOnce()) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    tracing::subscriber::with_default(Lines(Arc::clone(&lines)), run);
    std::mem::take(&mut *lines.lock().unwrap())
}

#[test]
fn e4_an_unheard_event_is_ignored_by_default() {
    let lines = traced(|| {
        let report = Bus::empty().emit(Ignored).report();
        assert!(!report.heard());
        assert!(report.failures().is_empty());
    });

    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn e4_an_unheard_event_warns_once_a_bus_if_it_says_so() {
    let lines = traced(|| {
        let bus = Bus::empty();
        for _ in 0..3 {
            assert!(bus.emit(Warned).report().failures().is_empty());
        }
        Bus::empty().emit(Warned);
    });

    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        assert!(line.starts_with("WARN tidings"), "{line}");
        assert!(line.contains("alarms.warned"), "{line}");
    }
}

#[test]
fn e4_an_event_whose_listener_fails_is_heard() {
    let lines = traced(|| {
        let report = Bus::builder().build().unwrap().emit(Warned).report();
        assert!(report.heard());
    });

    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("ERROR tidings"), "{lines:?}");
}

#[test]
fn e4_an_unheard_event_fails_if_it_says_so() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let bus = Bus::builder()
        .on_failure(move |failure| hook.lock().unwrap().push(failure.to_string()))
        .build()
        .unwrap();

    let heard = bus.emit(Failed { loud: true }).report();
    let unheard = bus.emit(Failed { loud: false }).report();

    assert_eq!((heard.ran(), heard.failed()), (1, 0));
    assert_eq!((unheard.skipped(), unheard.failed()), (1, 1));
    let [failure] = unheard.failures() else {
        panic!("{unheard}")
    };
    assert_eq!(failure.kind(), FailureKind::Unheard);
    assert!(failure.listener().is_none());
    assert!(failure.message().contains("alarms.failed"), "{failure}");
    assert_eq!(*told.lock().unwrap(), [failure.to_string()]);
}

#[test]
fn e4_a_subscription_hears_the_event_too() {
    let bus = Bus::empty();
    let subscription = bus.on(|_: &Failed| {});

    let heard = bus.emit(Failed { loud: true }).report();
    drop(subscription);
    let unheard = bus.emit(Failed { loud: true }).report();

    assert_eq!((heard.ran(), heard.failed()), (1, 0));
    assert_eq!(unheard.failures()[0].kind(), FailureKind::Unheard);
}

#[test]
fn e4_each_instantiation_of_a_generic_event_is_heard_or_not() {
    let bus = Bus::builder().on_failure(|_| {}).build().unwrap();

    let number = bus.emit(Generic(1_u8)).report();
    let text = bus.emit(Generic("text")).report();

    assert_eq!((number.ran(), number.failed()), (1, 0));
    assert_eq!(text.failures()[0].kind(), FailureKind::Unheard);
}
