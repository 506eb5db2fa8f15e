//! D7: without an installed bus the free `emit` makes a default one of all linked listeners.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futures::executor::block_on;
use tidings::{Bus, FailureKind, InstallErrorKind, emit, event, listener};

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[event]
struct Started;

#[listener]
fn count(_: &Started) {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

#[event]
struct Mailed;

#[listener]
async fn send(_: &Mailed) {}

/// One test, since the default bus is one for the process.
#[test]
fn d7_emit_before_install_uses_the_default_bus_and_a_later_install_is_refused() {
    assert_eq!(emit(Started).report().ran(), 1);
    thread::spawn(|| drop(emit(Started))).join().unwrap();
    assert_eq!(CALLS.load(Ordering::Relaxed), 2);

    let error = Bus::builder().build().unwrap().install().unwrap_err();

    assert_eq!(error.kind(), InstallErrorKind::AlreadyInUse);
    assert_eq!(
        error.to_string(),
        "the free `emit` has already used the default bus; install this one before the first `emit`"
    );
    assert_eq!(error.into_bus().emit(Started).report().ran(), 1);
    assert_eq!(
        emit(Started).report().ran(),
        1,
        "the default bus is still there"
    );
}

#[test]
fn d7_the_default_bus_runs_async_listeners_only_where_they_are_awaited() {
    assert_eq!(block_on(emit(Mailed).into_future()).ran(), 1);

    let report = emit(Mailed).report();

    assert_eq!(report.queued(), 0);
    assert_eq!(report.failures()[0].kind(), FailureKind::NoRuntime);
    assert!(
        report.failures()[0].message().contains("`install()`"),
        "{report}"
    );
}
