//! D1, D7: the last handle to a bus dropped inside its own listener, and `emit` after the bus is gone.

mod support;

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use support::Recorder;
use tidings::{FailureKind, Installed, WeakBus, emit, event, listener};

static INSTALLED: Mutex<Option<Installed>> = Mutex::new(None);

#[event]
struct Closed;

#[listener]
fn close(_: &Closed, log: &Recorder) {
    drop(INSTALLED.lock().unwrap().take());
    log.note("close");
}

#[listener]
fn after_close(_: &Closed, log: &Recorder) {
    emit(Noted("after_close"));
    log.note("after_close ends");
}

#[listener]
async fn last(_: &Closed, log: &Recorder) {
    emit(Noted("last"));
    log.note("last ends");
}

#[event]
struct Noted(&'static str);

#[listener]
fn note(e: &Noted, log: &Recorder) {
    log.note(e.0);
}

/// One test: it goes from an installed bus to none.
#[test]
fn d1_a_listener_may_drop_the_last_handle_to_its_bus() {
    let log = Arc::new(Recorder::default());
    let bus = tidings::Bus::builder()
        .state(Arc::clone(&log))
        .build()
        .unwrap();
    let weak: WeakBus = bus.downgrade();
    *INSTALLED.lock().unwrap() = Some(bus.install().unwrap());

    let emission = emit(Closed).into_future();
    assert_eq!(log.take(), ["close", "after_close", "after_close ends"]);
    assert!(
        weak.upgrade().is_some(),
        "the async delivery still holds the bus"
    );
    let report = block_on(emission);

    assert_eq!(report.to_string(), "3 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(log.take(), ["last", "last ends"]);
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&log), 1, "the bus let its state go");

    // Nothing is installed, and the default bus has no state to give.
    let report = emit(Noted("too late")).report();
    assert_eq!(report.failures()[0].kind(), FailureKind::NoBus);
    assert!(log.take().is_empty());
}
