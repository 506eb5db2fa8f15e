//! D4: what goes on for ever ends at depth 64, with the chain in the message.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use tidings::{Bus, Context, Failure, FailureKind, emit, event, listener};

#[event]
struct Echo;

#[listener]
fn echo(_: &Echo, cx: Context<'_>, calls: &AtomicUsize) {
    assert_eq!(cx.depth(), calls.fetch_add(1, Ordering::Relaxed) + 1);
    cx.emit(Echo);
}

#[event]
struct Ping;

#[event]
struct Pong;

#[listener]
fn ping(_: &Ping, calls: &AtomicUsize) {
    calls.fetch_add(1, Ordering::Relaxed);
    emit(Pong);
}

#[listener]
fn pong(_: &Pong, calls: &AtomicUsize) {
    calls.fetch_add(1, Ordering::Relaxed);
    emit(Ping);
}

#[event]
struct Heir;

#[listener]
fn inherit(_: &Heir, calls: &AtomicUsize) -> Heir {
    calls.fetch_add(1, Ordering::Relaxed);
    Heir
}

#[event]
struct Later;

#[listener]
async fn later(_: &Later, cx: Context<'_>, calls: &AtomicUsize) {
    calls.fetch_add(1, Ordering::Relaxed);
    cx.emit(Later).await;
}

#[event]
struct LaterHeir;

#[listener]
async fn later_heir(_: &LaterHeir, calls: &AtomicUsize) -> LaterHeir {
    calls.fetch_add(1, Ordering::Relaxed);
    LaterHeir
}

#[event]
struct Start;

#[listener]
fn start(_: &Start, cx: Context<'_>) {
    cx.emit(Echo);
}

#[event]
struct Looped;

struct Fixture {
    bus: Bus,
    calls: Arc<AtomicUsize>,
    told: Arc<Mutex<Vec<(FailureKind, String)>>>,
}

fn fixture() -> Fixture {
    let calls = Arc::new(AtomicUsize::new(0));
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let tell = move |failure: &Failure| {
        hook.lock()
            .unwrap()
            .push((failure.kind(), failure.message().to_owned()));
    };
    let bus = Bus::builder()
        .state(Arc::clone(&calls))
        .on_failure(tell)
        .build()
        .unwrap();
    Fixture { bus, calls, told }
}

impl Fixture {
    /// Expects 64 calls and this failure, and that the bus works as ever afterwards.
    fn ended_with(&self, message: &str) {
        assert_eq!(self.calls.load(Ordering::Relaxed), 64);
        assert_eq!(
            *self.told.lock().unwrap(),
            [(FailureKind::Depth, message.to_owned())]
        );
        self.calls.store(0, Ordering::Relaxed);
        self.bus.emit(Echo);
        assert_eq!(self.calls.load(Ordering::Relaxed), 64);
    }
}

#[test]
fn d4_an_event_that_emits_itself_ends_at_depth_64_with_the_chain() {
    let fixture = fixture();

    let report = fixture.bus.emit(Echo).report();

    assert_eq!(
        report.to_string(),
        "1 ran, 0 skipped, 0 failed, 0 queued",
        "only the 65th emission fails"
    );
    fixture.ended_with(
        "`echo` would be the emission number 65 inside each other; the chain: `echo` heard by d_depth::echo (64 times)",
    );
}

#[test]
fn d4_two_events_that_emit_each_other_end_with_both_in_the_chain() {
    let fixture = fixture();

    fixture.bus.emit(Ping);

    fixture.ended_with(
        "`ping` would be the emission number 65 inside each other; the chain: `ping` heard by d_depth::ping -> `pong` heard by d_depth::pong (the last 2 of these, 32 times)",
    );
}

#[test]
fn d4_a_listener_that_returns_its_own_event_ends_at_depth_64() {
    let fixture = fixture();

    fixture.bus.emit(Heir);

    fixture.ended_with(
        "`heir` would be the emission number 65 inside each other; the chain: `heir` heard by d_depth::inherit (64 times)",
    );
}

#[test]
fn d4_an_async_listener_that_awaits_its_own_event_in_the_task_ends_at_depth_64() {
    let fixture = fixture();

    let report = block_on(async { fixture.bus.emit(Later).await });

    assert_eq!(report.ran(), 1);
    fixture.ended_with(
        "`later` would be the emission number 65 inside each other; the chain: `later` heard by d_depth::later (64 times)",
    );
}

#[test]
fn d4_an_async_listener_that_returns_its_own_event_ends_at_depth_64() {
    let fixture = fixture();

    block_on(async { fixture.bus.emit(LaterHeir).await });

    fixture.ended_with(
        "`later_heir` would be the emission number 65 inside each other; the chain: `later_heir` heard by d_depth::later_heir (64 times)",
    );
}

#[test]
fn d4_the_chain_begins_with_what_started_it() {
    let fixture = fixture();

    // `echo` begins at depth 2 here.
    fixture.calls.store(1, Ordering::Relaxed);
    fixture.bus.emit(Start);

    let told = fixture.told.lock().unwrap();
    assert_eq!(
        *told,
        [(
            FailureKind::Depth,
            "`echo` would be the emission number 65 inside each other; the chain: `start` heard by d_depth::start -> `echo` heard by d_depth::echo (63 times)"
                .to_owned()
        )]
    );
}

#[test]
fn d4_subscriptions_stand_in_the_chain_with_their_place() {
    let Fixture { bus, told, .. } = fixture();
    let line = line!() + 1;
    let _subscription = bus.on(|_: &Looped| drop(emit(Looped)));

    bus.emit(Looped);

    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    let here = format!("`looped` heard by subscription at tests/d_depth.rs:{line}:");
    assert!(told[0].1.contains(&here), "{}", told[0].1);
    assert!(told[0].1.ends_with("(64 times)"), "{}", told[0].1);
}

#[test]
fn d4_the_emission_that_would_be_too_deep_says_so_in_its_report() {
    let Fixture { bus, .. } = fixture();
    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&reports);
    let _subscription = bus.on(move |_: &Looped| {
        let report = emit(Looped).report();
        kept.lock().unwrap().push(report);
    });

    bus.emit(Looped);

    let reports = reports.lock().unwrap();
    assert_eq!(reports.len(), 64);
    let innermost = &reports[0];
    assert_eq!((innermost.ran(), innermost.failed()), (0, 1));
    assert_eq!(innermost.failures()[0].kind(), FailureKind::Depth);
    assert!(innermost.failures()[0].listener().is_none());
    assert!(
        reports[1..]
            .iter()
            .all(|report| report.ran() == 1 && report.failed() == 0)
    );
}
