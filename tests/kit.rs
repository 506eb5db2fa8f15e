//! The test kit, as an application's tests use it.
#![cfg(feature = "test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tidings::test::{TestBus, TestBusBuilder};
use tidings::{AnyEvent, Bus, Context, FailureKind, event, listener, listeners};

#[event]
struct Placed {
    order: u64,
}

#[event]
struct Paid {
    order: u64,
}

#[event]
struct Shipped;

#[event]
struct Refunded;

#[derive(Default)]
struct Bank(AtomicU32);

impl Bank {
    fn book(&self, e: &Placed) -> Result<(), String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        (e.order < 1000)
            .then_some(())
            .ok_or_else(|| "too much".to_owned())
    }
}

#[listener(queue = 64, retry = 2, backoff = "1h..1h")]
fn charge(e: &Placed, bank: &Bank) -> Result<Paid, String> {
    bank.book(e)?;
    Ok(Paid { order: e.order })
}

#[listener]
async fn receipt(_: &Paid) {}

#[listener]
fn ship(e: &Paid, cx: Context<'_>) {
    if e.order > 0 {
        cx.emit(Shipped);
    }
}

#[listener(when = |e| e.order >= 100)]
fn gift(_: &Paid) {}

#[listener]
fn refund(_: &Refunded) {}

#[listener("**")]
fn audit(_: &AnyEvent<'_>) {}

fn helper(_: &Placed) {}

fn bus() -> TestBus {
    TestBus::builder().state(Bank::default()).build()
}

/// The message of the panic.
fn complaint(f: impl FnOnce()) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let panic = caught.expect_err("it was to fail");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => (*other.downcast::<&str>().expect("a text")).to_owned(),
    }
}

#[test]
fn a_cascade_with_hours_of_backoff_settles_in_virtual_time() {
    let bus = bus();
    bus.fail(charge).times(2).with("the bank is closed");
    bus.emit(Placed { order: 7 });
    let run = bus.settle_blocking();

    run.heard_by(charge).once().tries(3).ok();
    run.heard_by(receipt).once().ok();
    run.heard_by(audit).times(3).ok();
    let paid = run.emitted::<Paid>().one(|paid| paid.order == 7);
    assert_eq!(paid.order, 7);
    run.emitted::<Shipped>().once();
    run.emitted::<Refunded>().none();
    run.not_heard_by((refund, gift));
    run.order((charge, ship, receipt));
    assert_eq!(bus.elapsed(), Duration::from_secs(7200));
}

#[test]
fn each_settling_gives_what_happened_since_the_last() {
    let bus = bus();
    bus.emit(Placed { order: 1 });
    bus.settle_blocking().heard_by(charge).once();
    bus.emit(Refunded);
    let run = bus.settle_blocking();
    run.not_heard_by(charge);
    run.heard_by(refund).once().ok();
    run.emitted::<Placed>().none();
}

#[test]
fn a_failed_sentence_prints_the_timeline_of_the_run() {
    let bus = bus();
    bus.fail(charge).with("the bank is closed");
    bus.emit(Placed { order: 7 });
    let run = bus.settle_blocking();
    run.heard_by(charge)
        .once()
        .failed_with("bank is closed")
        .tries(3);

    let said = complaint(|| drop(run.heard_by(charge).ok()));
    let expected = [
        "`kit::charge` was to have ended without failure, and 0 deliveries ran, 1 failed",
        "it failed with \"the bank is closed\"",
        "timeline:",
        "0ns          `placed` emitted at tests/kit.rs:",
        "0ns            kit::charge: queued",
        "3600s          kit::charge: failed, \"the bank is closed\" (call 2)",
    ];
    for line in expected {
        assert!(said.contains(line), "{line} is not in:\n{said}");
    }
}

#[test]
fn every_sentence_can_fail() {
    let bus = bus();
    bus.emit(Placed { order: 7 });
    let run = bus.settle_blocking();
    let false_ones: [Box<dyn Fn()>; 14] = [
        Box::new(|| drop(run.heard_by(refund).once())),
        Box::new(|| drop(run.heard_by(charge).times(2))),
        Box::new(|| drop(run.heard_by(charge).never())),
        Box::new(|| drop(run.heard_by(refund).ok())),
        Box::new(|| drop(run.heard_by(charge).failed())),
        Box::new(|| drop(run.heard_by(charge).failed_with(""))),
        Box::new(|| drop(run.heard_by(charge).tries(3))),
        Box::new(|| drop(run.heard_by(gift).skipped(2))),
        Box::new(|| run.not_heard_by((refund, charge))),
        Box::new(|| run.emitted::<Paid>().none()),
        Box::new(|| run.emitted::<Paid>().times(2)),
        Box::new(|| run.emitted::<Refunded>().once()),
        Box::new(|| {
            run.emitted::<Paid>().one(|paid| paid.order == 8);
        }),
        Box::new(|| run.order((ship, charge))),
    ];
    for sentence in false_ones {
        let said = complaint(sentence);
        assert!(said.contains("timeline:"), "{said}");
    }
}

#[test]
fn a_sentence_about_what_cannot_be_heard_is_a_mistake() {
    let bus = TestBus::builder().without(charge).build();
    let run = bus.settle_blocking();
    let said = complaint(|| run.not_heard_by(helper));
    assert!(said.contains("`kit::helper` is not a listener"), "{said}");
    let said = complaint(|| run.not_heard_by(charge));
    assert!(said.contains("`kit::charge` (tests/kit.rs:"), "{said}");
    assert!(said.contains("is not on this bus"), "{said}");
    let said = complaint(|| drop(bus.fail(charge)));
    assert!(said.contains("is not on this bus"), "{said}");
}

#[test]
fn what_a_condition_does_not_want_does_not_fail() {
    let bus = bus();
    bus.fail(gift).with("no gifts left");
    bus.emit(Paid { order: 7 });
    let run = bus.settle_blocking();
    run.heard_by(gift).never().skipped(1);

    bus.emit(Paid { order: 100 });
    let run = bus.settle_blocking();
    run.heard_by(gift).once().failed_with("no gifts left");
}

#[test]
fn a_fault_strikes_as_often_as_it_shall() {
    let bus = bus();
    bus.fail(refund).once();
    bus.panic(refund).once();
    for _ in 0..3 {
        bus.emit(Refunded);
    }
    let report = bus.emit(Refunded).report();
    assert_eq!(report.ran(), 2);
    let run = bus.settle_blocking();
    run.heard_by(refund).times(4).tries(4);
    let text = run.to_string();
    assert_eq!(text.matches("refund: failed").count(), 1, "{text}");
    assert_eq!(text.matches("refund: panicked").count(), 1, "{text}");
    assert_eq!(text.matches("refund: ran").count(), 2, "{text}");
}

#[test]
fn a_panic_in_a_worker_and_in_a_future_is_a_failure_of_the_run() {
    let bus = bus();
    bus.panic((charge, receipt));
    bus.emit(Placed { order: 1 });
    bus.emit(Paid { order: 1 });
    let run = bus.settle_blocking();
    run.heard_by(charge).once().failed().tries(1);
    run.heard_by(receipt).once().failed();
}

#[test]
fn an_error_has_its_own_type() {
    #[derive(Debug, Clone, PartialEq)]
    struct Declined(u32);

    impl std::fmt::Display for Declined {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "declined {}", self.0)
        }
    }

    impl std::error::Error for Declined {}

    let bus = bus();
    bus.fail(refund).with(Declined(3));
    let report = bus.emit(Refunded).report();
    let source = report.failures()[0].source().expect("it is an error");
    assert_eq!(source.downcast_ref(), Some(&Declined(3)));
    assert_eq!(report.failures()[0].kind(), FailureKind::Error);
}

#[test]
fn a_delay_passes_on_the_bus_s_clock() {
    let bus = bus();
    bus.delay(receipt, Duration::from_secs(60));
    bus.delay(refund, Duration::from_secs(5));
    bus.emit(Refunded);
    assert_eq!(bus.elapsed(), Duration::from_secs(5));
    bus.emit(Paid { order: 0 });
    bus.advance(Duration::from_secs(59));
    bus.run().heard_by(receipt).never();
    bus.advance(Duration::from_secs(1));
    bus.run().heard_by(receipt).once().ok();
    assert_eq!(bus.elapsed(), Duration::from_secs(65));
}

#[test]
fn a_duplicate_is_delivered_twice_and_emitted_once() {
    let bus = bus();
    bus.duplicate::<Placed>();
    bus.emit(Placed { order: 1 });
    let run = bus.settle_blocking();
    run.heard_by(charge).times(2).ok();
    run.emitted::<Placed>().once();
    run.emitted::<Paid>().times(2);
}

#[test]
fn a_replacement_keeps_its_listener_s_queue_and_needs_none_of_its_state() {
    let bus = TestBus::builder()
        .replace(charge, |e: &Placed| {
            (e.order > 1)
                .then_some(Paid { order: e.order })
                .ok_or("too small")
        })
        .build();
    bus.emit(Placed { order: 1 });
    bus.emit(Placed { order: 2 });
    assert_eq!(bus.queues()[0].1.depth, 2);
    let run = bus.settle_blocking();
    run.heard_by(charge).times(2).tries(4);
    run.emitted::<Paid>().one(|paid| paid.order == 2);
    assert_eq!(bus.queues()[0].1.retried, 2);
}

#[test]
fn a_replacement_keeps_its_listener_s_condition() {
    let gifts = Arc::new(AtomicU32::new(0));
    let given = Arc::clone(&gifts);
    let bus = TestBus::builder()
        .state(Bank::default())
        .replace(gift, move |_: &Paid| {
            given.fetch_add(1, Ordering::Relaxed);
        })
        .replace(receipt, |_: &Paid| Err::<(), _>("no printer"))
        .replace_any(audit, |e: &AnyEvent<'_>| {
            (e.topic() == "paid").then_some(Refunded)
        })
        .build();
    bus.emit(Paid { order: 7 });
    bus.emit(Paid { order: 100 });
    let run = bus.settle_blocking();
    assert_eq!(gifts.load(Ordering::Relaxed), 1);
    run.heard_by(receipt).times(2).failed_with("no printer");
    run.emitted::<Refunded>().times(2);
}

#[test]
fn a_replacement_of_another_event_is_refused_with_its_place() {
    let said = complaint(|| {
        let builder = TestBus::builder().state(Bank::default());
        drop(builder.replace(charge, |_: &Paid| {}).build());
    });
    assert!(said.contains("not-replaceable"), "{said}");
    assert!(said.contains("`kit::charge` hears `placed`"), "{said}");
    assert!(said.contains("tests/kit.rs:"), "{said}");
    let said = complaint(|| drop(TestBus::builder().replace(helper, |_: &Placed| {}).build()));
    assert!(said.contains("not-a-listener"), "{said}");
    assert!(said.contains("missing-state"), "all at once: {said}");
}

#[test]
fn a_stub_hears_an_event_instead_of_its_listeners() {
    let bus = TestBus::builder()
        .state(Bank::default())
        .stub(|e: &Placed| Paid { order: e.order + 1 })
        .build();
    bus.emit(Placed { order: 1 });
    let run = bus.settle_blocking();
    run.emitted::<Paid>().one(|paid| paid.order == 2);
    run.heard_by(receipt).once().ok();
    let said = complaint(|| run.not_heard_by(charge));
    assert!(said.contains("stubs its event"), "{said}");
}

struct Mailer(&'static str);

#[listeners]
impl Mailer {
    #[listener]
    fn confirm(&self, _: &Shipped) -> Result<(), String> {
        Err(self.0.to_owned())
    }
}

#[test]
fn methods_have_faults_and_sentences_too() {
    let bus = bus();
    let _attached = bus.attach(Arc::new(Mailer("no server"))).expect("it fits");
    bus.fail(Mailer::confirm).once().with("injected");
    bus.emit(Shipped);
    bus.emit(Shipped);
    let run = bus.settle_blocking();
    run.heard_by(Mailer::confirm).times(2).failed();
    let text = run.to_string();
    assert!(
        text.contains("injected") && text.contains("no server"),
        "{text}"
    );
}

#[test]
fn an_emission_is_awaited_under_any_executor() {
    let bus = bus();
    bus.delay(receipt, Duration::from_secs(3600));
    let report = futures::executor::block_on(async { bus.emit(Paid { order: 1 }).await });
    assert_eq!(report.ran(), 3);
    let run = futures::executor::block_on(async { bus.settle().await });
    run.heard_by(receipt).once().ok();
    assert_eq!(bus.elapsed(), Duration::from_secs(3600));
}

#[test]
fn a_seed_gives_one_order() {
    let order = |seed| {
        let bus = TestBus::builder().seed(seed).build_with_bank();
        for order in 0..8 {
            bus.emit(Paid { order });
        }
        bus.settle_blocking().to_string()
    };
    assert_eq!(order(3), order(3));
}

trait BuildWithBank {
    fn build_with_bank(self) -> TestBus;
}

impl BuildWithBank for TestBusBuilder {
    fn build_with_bank(self) -> TestBus {
        self.state(Bank::default()).build()
    }
}

#[test]
fn a_fake_takes_the_place_of_real_state_however_that_was_given() {
    let real = || Arc::new(Bank::default());
    let fake = || Bank(AtomicU32::new(100));
    for builder in [
        Bus::builder().state(Bank::default()),
        Bus::builder().state(real()),
    ] {
        let bus = TestBusBuilder::from(builder).fake(fake()).build();
        bus.emit(Placed { order: 1 });
        bus.settle_blocking().heard_by(charge).once().ok();
    }
    let bank = Arc::new(fake());
    let builder = Bus::builder().state(Bank::default());
    let bus = TestBusBuilder::from(builder)
        .fake(Arc::clone(&bank))
        .build();
    bus.emit(Placed { order: 1 });
    bus.settle_blocking();
    assert_eq!(bank.0.load(Ordering::Relaxed), 101);
}
