//! E5: async pattern listeners and payloads that threads cannot share.

use std::cell::Cell;
use std::sync::Arc;

use tidings::{AnyEvent, BuildError, Bus, Code, event, listener, listeners};

#[event("meters.read")]
struct Read {
    value: Cell<u32>,
}

#[event("meters.shared")]
struct Shared;

#[listener("meters.*")]
async fn audit(_: &AnyEvent<'_>) {}

#[listener("meters.*")]
fn inline(e: &AnyEvent<'_>) {
    if let Some(read) = e.downcast_ref::<Read>() {
        read.value.set(read.value.get() + 1);
    }
}

#[listener("meters.shared")]
async fn narrow(_: &AnyEvent<'_>) {}

struct Auditor;

#[listeners]
impl Auditor {
    #[listener("meters.read")]
    async fn audit(&self, _: &AnyEvent<'_>) {
        std::future::ready(()).await;
    }
}

fn assert_problem(error: &BuildError, listener: &str, line: u32) {
    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::NotSend);
    assert_eq!(
        problem.message(),
        format!(
            "async listener `{listener}` hears `meters.read` by a pattern, but `e_not_send::Read` is not `Send + Sync`"
        )
    );
    assert_eq!(
        problem.help(),
        "make the payload `Send + Sync`, the listener a plain `fn` without `queue`, or the pattern narrower"
    );
    assert_eq!(problem.location().unwrap().line(), line);
}

#[test]
fn e5_an_async_pattern_listener_of_an_event_that_is_not_send_is_a_build_error() {
    let error = Bus::builder().build().unwrap_err();

    assert_problem(&error, "e_not_send::audit", 17);
}

#[test]
fn e5_an_async_pattern_method_of_an_event_that_is_not_send_is_not_attached() {
    let error = Bus::empty().attach(Arc::new(Auditor)).unwrap_err();

    assert_problem(&error, "e_not_send::Auditor::audit", 34);
}

#[test]
fn e5_an_inline_pattern_listener_hears_it_and_a_narrower_async_one_does_not_mind() {
    let bus = Bus::builder().without(audit).build().unwrap();

    let read = bus
        .emit(Read {
            value: Cell::new(1),
        })
        .report();
    let shared = futures::executor::block_on(async { bus.emit(Shared).await });

    assert_eq!(read.ran(), 1);
    assert_eq!(shared.ran(), 2);
}
