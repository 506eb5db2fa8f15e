//! What is emitted past a test's bus fails the test, with its place.
#![cfg(feature = "test")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use tidings::test::TestBus;
use tidings::{FailureKind, Runtime, VirtualRuntime, emit, event, listener};

#[event]
struct Placed;

#[event]
struct Confirmed;

#[listener]
fn confirm(_: &Placed) {
    emit(Confirmed);
}

#[listener]
async fn mail(_: &Confirmed) {
    // The bus of the delivery, in every poll.
    emit(Archived);
}

#[event]
struct Archived;

#[listener]
fn archive(_: &Archived) {}

fn complaint(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("it was to fail");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn an_emission_past_the_bus_reaches_nobody_and_fails_the_test_at_its_place() {
    let said = complaint(|| {
        let bus = TestBus::new();
        let report = emit(Placed).report();
        assert_eq!(report.failures()[0].kind(), FailureKind::NoBus);
        let message = report.failures()[0].message();
        assert!(message.contains("tests/kit_escapes.rs:"), "{message}");
        bus.run().not_heard_by(confirm);
        // The test would go on as if nothing were wrong.
        drop(bus);
    });
    assert!(said.contains("`placed` at tests/kit_escapes.rs:"), "{said}");
    assert!(said.contains("bus.scope(..)"), "{said}");
}

#[test]
fn settling_tells_of_it_first() {
    let bus = TestBus::new();
    emit(Placed);
    let said = complaint(|| drop(bus.settle_blocking()));
    assert!(said.contains("`placed` at"), "{said}");
}

#[test]
fn a_task_on_the_kit_s_runtime_cannot_escape_either() {
    let time = VirtualRuntime::new();
    let bus = TestBus::builder().runtime(time.clone()).build();
    time.spawn(Box::pin(async {
        emit(Placed);
    }));
    time.run_until_stalled();
    let said = complaint(|| drop(bus));
    assert!(said.contains("`placed` at"), "{said}");
}

#[test]
fn the_free_function_emits_on_the_bus_in_a_scope_and_in_its_listeners() {
    let bus = TestBus::new();
    bus.scope(|| emit(Placed));
    bus.block_on(async {
        emit(Placed).await;
    });
    futures::executor::block_on(bus.scoped(async {
        emit(Placed).await;
    }));
    let run = bus.settle_blocking();
    run.heard_by(confirm).times(3).ok();
    run.heard_by(mail).times(3).ok();
    run.heard_by(archive).times(3).ok();
}

#[test]
fn scopes_are_of_one_thread_and_stand_in_each_other() {
    let (outer, inner) = (TestBus::new(), TestBus::new());
    outer.scope(|| {
        inner.scope(|| emit(Archived));
        emit(Archived);
        emit(Archived);
        // Another test's thread has nothing to do with it.
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let own = TestBus::new();
                own.scope(|| emit(Archived));
                own.settle_blocking().heard_by(archive).once();
            });
        });
    });
    inner.settle_blocking().heard_by(archive).once();
    outer.settle_blocking().heard_by(archive).times(2);
}

#[test]
fn a_scope_ends_with_a_panic() {
    let bus = TestBus::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| bus.scope(|| panic!("inside"))));
    assert!(panicked.is_err());
    let report = emit(Archived).report();
    assert_eq!(report.failures()[0].kind(), FailureKind::NoBus);
    let said = complaint(|| drop(bus));
    assert!(said.contains("`archived` at"), "{said}");
}
