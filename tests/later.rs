//! Emissions at their time and waits on the clock of a bus's runtime: in virtual time, on an event loop and on tokio.
#![cfg(feature = "test")]

mod support;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use support::Recorder;
use tidings::test::TestBus;
use tidings::{
    Bus, BusBuilder, Context, EventLoop, FailureKind, LaterErrorKind, LaterHandle, Missed, Runtime,
    VirtualRuntime, event, listener,
};

const SECOND: Duration = Duration::from_secs(1);

#[event]
struct Remind(&'static str);

#[event]
struct Begin;

#[event]
struct Beat(u64);

/// Held by the runtime of a bus, so it is told the time.
struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

#[listener]
fn ring(e: &Remind, clock: &Clock, log: &Recorder) {
    log.note(format!("{} {}", (clock.0)().as_secs(), e.0));
}

#[listener]
async fn begin(_: &Begin, cx: Context<'_>, clock: &Clock, log: &Recorder) {
    cx.emit_later(SECOND * 2, Remind("later")).unwrap();
    let limit = cx.timeout(SECOND, cx.sleep(SECOND * 60)).await;
    log.note(format!("{} {}", (clock.0)().as_secs(), limit.unwrap_err()));
    cx.sleep(SECOND * 4).await;
    log.note(format!("{} slept", (clock.0)().as_secs()));
}

#[listener]
fn beat(e: &Beat, clock: &Clock, log: &Recorder) {
    log.note(format!("{} beat {}", (clock.0)().as_secs(), e.0));
}

fn bus(
    runtime: impl Runtime,
    elapsed: impl Fn() -> Duration + Send + Sync + 'static,
) -> (BusBuilder, Arc<Recorder>) {
    let log = Arc::new(Recorder::default());
    let builder = Bus::builder()
        .state(Clock(Arc::new(elapsed)))
        .state(Arc::clone(&log))
        .runtime(runtime);
    (builder, log)
}

fn in_virtual_time() -> (VirtualRuntime, BusBuilder, Arc<Recorder>) {
    let time = VirtualRuntime::new();
    let clock = time.clone();
    let (builder, log) = bus(time.clone(), move || clock.elapsed());
    (time, builder, log)
}

type Failures = Arc<Mutex<Vec<(FailureKind, String)>>>;

fn told(builder: BusBuilder) -> (Bus, Failures) {
    let failures = Failures::default();
    let own = Arc::clone(&failures);
    let hook = move |failure: &tidings::Failure| {
        let what = (failure.kind(), failure.message().to_owned());
        own.lock().unwrap().push(what);
    };
    (builder.on_failure(hook).build().unwrap(), failures)
}

#[test]
fn events_come_in_the_order_of_their_times_and_never_early() {
    let (time, builder, log) = in_virtual_time();
    let bus = builder.build().unwrap();
    for (seconds, what) in [(3, "three"), (1, "one"), (2, "two")] {
        bus.emit_later(SECOND * seconds, Remind(what)).unwrap();
    }
    bus.emit_at(time.now(), Remind("at once")).unwrap();
    time.run_until_stalled();
    assert_eq!(log.take(), ["0 at once"]);
    time.advance(SECOND * 2);
    assert_eq!(log.take(), ["1 one", "2 two"]);
    time.advance(SECOND * 2);
    assert_eq!(log.take(), ["3 three"]);
}

#[test]
fn a_listener_has_the_same_on_its_context() {
    let (time, builder, log) = in_virtual_time();
    let bus = builder.build().unwrap();
    block_on(async { bus.emit(Begin).await });
    assert_eq!(time.elapsed(), SECOND * 5);
    assert_eq!(
        log.take(),
        ["1 it took longer than 1s", "2 later", "5 slept"]
    );
}

#[test]
fn a_handle_takes_the_emission_back_on_any_thread() {
    let (time, builder, log) = in_virtual_time();
    let bus = builder.build().unwrap();
    let remind = bus.emit_later(SECOND, Remind("never")).unwrap();
    assert_eq!(remind.when(), time.now() + SECOND);
    assert!(remind.is_pending());
    let other = remind.clone();
    assert!(thread::spawn(move || other.cancel()).join().unwrap());
    assert!(!remind.is_pending() && !remind.cancel());
    time.advance(SECOND * 2);
    assert_eq!((log.take().len(), time.next_timer()), (0, None));
}

#[test]
fn a_handle_that_is_dropped_takes_nothing_back() {
    let (time, builder, log) = in_virtual_time();
    let bus = builder.build().unwrap();
    drop(bus.emit_later(SECOND, Remind("on")).unwrap());
    time.advance(SECOND);
    assert_eq!(log.take(), ["1 on"]);
}

#[test]
fn a_periodic_one_comes_again_until_it_is_cancelled_also_by_its_own_listener() {
    let (time, builder, log) = in_virtual_time();
    let bus = builder.build().unwrap();
    let beats = bus.emit_every(SECOND, Missed::Skip, Beat).unwrap();
    time.advance(SECOND * 2);
    assert_eq!(log.take(), ["1 beat 0", "2 beat 1"]);
    let own: Arc<Mutex<Option<LaterHandle>>> = Arc::default();
    let inner = Arc::clone(&own);
    let _sub = bus.on(move |_: &Beat| {
        let beats = inner.lock().unwrap();
        assert!(beats.as_ref().is_some_and(LaterHandle::cancel));
    });
    *own.lock().unwrap() = Some(beats.clone());
    time.advance(SECOND * 10);
    assert_eq!(log.take(), ["3 beat 2"]);
    assert!(!beats.is_pending());
    assert_eq!(time.next_timer(), None);
}

#[test]
fn a_panic_of_what_makes_the_event_is_told_and_the_next_one_comes() {
    let (time, builder, log) = in_virtual_time();
    let (bus, failures) = told(builder);
    let make = |number| {
        assert!(number != 1, "no such beat");
        Beat(number)
    };
    let _beats = bus.emit_every(SECOND, Missed::Skip, make).unwrap();
    time.advance(SECOND * 3);
    assert_eq!(log.take(), ["1 beat 0", "3 beat 2"]);
    let failures = failures.lock().unwrap();
    let [(FailureKind::Panic, message)] = &failures[..] else {
        panic!("one panic: {failures:?}");
    };
    assert!(message.contains("tests/later.rs") && message.ends_with("no such beat"));
}

#[test]
fn without_a_runtime_it_is_refused_with_what_to_write() {
    let bus = Bus::empty();
    let error = bus.emit_later(SECOND, Remind("never")).unwrap_err();
    assert_eq!(
        (error.kind(), error.topic()),
        (LaterErrorKind::NoRuntime, "remind")
    );
    assert!(error.to_string().contains("build it with `.runtime(..)`"));
    let every = bus.emit_every(SECOND, Missed::Skip, Beat).unwrap_err();
    assert_eq!(every.kind(), LaterErrorKind::NoRuntime);
    // A wait needs nobody else.
    block_on(bus.sleep(Duration::from_millis(1)));
    let late = bus.timeout(Duration::from_millis(1), std::future::pending::<()>());
    assert!(block_on(late).is_err());
}

#[test]
fn a_bus_that_ends_tells_of_what_it_did_not_emit() {
    let (time, builder, log) = in_virtual_time();
    let (bus, failures) = told(builder);
    bus.emit_later(SECOND, Remind("never")).unwrap();
    bus.emit_every(SECOND, Missed::Skip, Beat).unwrap();
    assert!(bus.shutdown_blocking(SECOND).unwrap().is_clean());
    let refused = bus.emit_later(SECOND, Remind("never")).unwrap_err();
    assert_eq!(refused.kind(), LaterErrorKind::Closed);
    time.advance(SECOND * 5);
    assert_eq!((log.take().len(), time.next_timer()), (0, None));
    let told_of = std::mem::take(&mut *failures.lock().unwrap());
    let [(FailureKind::Abandoned, message)] = &told_of[..] else {
        panic!("one event: {told_of:?}");
    };
    assert!(
        message.starts_with("`remind` (tests/later.rs:"),
        "{message}"
    );
    assert!(message.ends_with("was not emitted: the bus was shut down before its time"));
}

#[test]
fn the_last_handle_and_the_end_of_the_runtime_are_told_as_such() {
    let (time, builder, _) = in_virtual_time();
    let (bus, failures) = told(builder);
    bus.emit_later(SECOND, Remind("never")).unwrap();
    drop(bus);
    time.advance(SECOND * 2);
    let told_of = std::mem::take(&mut *failures.lock().unwrap());
    assert_eq!(told_of.len(), 1);
    assert!(
        told_of[0]
            .1
            .ends_with("the last handle of the bus was dropped before its time")
    );

    let ended = VirtualRuntime::new();
    let (builder, _) = bus_of(&ended);
    let (bus, failures) = told(builder);
    let remind = bus.emit_later(SECOND, Remind("never")).unwrap();
    drop(ended);
    assert!(!remind.is_pending());
    let told_of = std::mem::take(&mut *failures.lock().unwrap());
    assert_eq!((told_of.len(), told_of[0].0), (1, FailureKind::Abandoned));
    assert!(
        told_of[0].1.contains("the runtime has ended"),
        "{told_of:?}"
    );
}

/// A bus that keeps no handle of its runtime in its state.
fn bus_of(time: &VirtualRuntime) -> (BusBuilder, Arc<Recorder>) {
    bus(time.clone(), || Duration::ZERO)
}

#[test]
fn on_an_event_loop_they_come_on_its_clock() {
    let lp = EventLoop::virtual_time();
    let begun = lp.time();
    let remote = lp.remote();
    let clock = lp.remote();
    let elapsed = move || clock.now().saturating_duration_since(begun);
    let (builder, log) = bus(remote, elapsed);
    let bus = builder.build().unwrap();
    bus.emit_later(SECOND * 2, Remind("two")).unwrap();
    let beats = bus.emit_every(SECOND * 3, Missed::Skip, Beat).unwrap();
    bus.emit(Begin);
    lp.run_for(SECOND * 7).unwrap();
    let lines = log.take();
    assert_eq!(
        lines,
        [
            "1 it took longer than 1s",
            "2 two",
            "2 later",
            "3 beat 0",
            "5 slept",
            "6 beat 1"
        ]
    );
    assert!(beats.cancel());
    lp.run_until_idle().unwrap();
    assert_eq!(lp.timer_count(), 0);
}

#[test]
fn in_the_test_kit_they_come_with_its_clock_and_are_recorded() {
    let log = Arc::new(Recorder::default());
    let bus = TestBus::builder()
        .only(ring)
        .state(Clock(Arc::new(|| Duration::ZERO)))
        .state(Arc::clone(&log))
        .build();
    bus.emit_later(SECOND * 3600, Remind("hour")).unwrap();
    bus.settle_blocking().not_heard_by(ring);
    bus.advance(SECOND * 3600);
    bus.settle_blocking().heard_by(ring).once().ok();
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn on_tokio_they_come_on_its_clock() {
    let begun = tokio::time::Instant::now();
    let (builder, log) = bus(tokio::runtime::Handle::current(), move || begun.elapsed());
    let bus = builder.build().unwrap();
    bus.emit_later(SECOND * 3, Remind("three")).unwrap();
    let taken_back = bus.emit_later(SECOND * 4, Remind("four")).unwrap();
    bus.emit(Begin).await;
    assert_eq!(
        log.take(),
        [
            "1 it took longer than 1s",
            "2 later",
            "3 three",
            "4 four",
            "5 slept"
        ]
    );
    assert!(!taken_back.cancel());
}
