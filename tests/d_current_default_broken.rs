//! D7: a default bus that cannot be built.

#[path = "support/child.rs"]
mod child;

use tidings::{BuildError, Code, FailureKind, emit, event, listener};

struct Mailer;

#[event]
struct Placed;

#[event]
struct Paid;

#[listener]
fn confirm(_: &Placed, _: &Mailer) {}

#[test]
fn d7_emit_without_a_bus_is_one_failure_whose_source_is_the_build_error() {
    let report = emit(Placed).report();

    assert_eq!((report.ran(), report.failed()), (0, 1));
    let failure = &report.failures()[0];
    assert_eq!(failure.kind(), FailureKind::NoBus);
    assert!(failure.listener().is_none());
    assert!(
        failure.message().starts_with(
            "the default bus cannot be built; build one with `Bus::builder()` and `install()` it in `main`: the bus cannot be built: 1 problem\n  [missing-state] listener `d_current_default_broken::confirm` needs state"
        ),
        "{failure}"
    );
    let source = failure
        .source()
        .and_then(|source| source.downcast_ref::<BuildError>())
        .unwrap();
    assert_eq!(source.problems()[0].code(), Code::MissingState);
}

#[test]
fn d7_the_missing_bus_is_printed_once() {
    if child::is_child() {
        emit(Placed);
        emit(Paid);
        std::thread::spawn(|| drop(emit(Placed))).join().unwrap();
        return;
    }

    let printed = child::printed_by("d7_the_missing_bus_is_printed_once");

    assert_eq!(printed.len(), 1, "{printed:?}");
    assert!(
        printed[0].starts_with("tidings: no bus: the default bus cannot be built; "),
        "{printed:?}"
    );
}
