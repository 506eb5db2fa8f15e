//! D6 without a runtime: async listeners run in the awaiting task, or are reported.

mod support;

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use futures::executor::block_on;
use futures::future::join;
use support::Recorder;
use tidings::{Bus, Context, Failure, FailureKind, ListenerInfo, emit, event, listener};

#[event]
struct Placed {
    order: u64,
}

#[listener]
async fn reserve(e: &Placed, log: &Recorder, turn: &Turn) {
    log.note(format!("reserve {} starts", e.order));
    turn.wait(1).await;
    log.note("reserve ends");
}

#[listener]
fn book(e: &Placed, log: &Recorder) {
    log.note(format!("book {}", e.order));
}

#[listener]
async fn confirm(e: &Placed, log: &Recorder, turn: &Turn) {
    log.note(format!("confirm {} starts", e.order));
    turn.take(1);
    log.note("confirm ends");
}

/// Lets one future go on when another says so.
#[derive(Default)]
struct Turn {
    now: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

impl Turn {
    async fn wait(&self, turn: usize) {
        poll_fn(|cx| {
            if self.now.load(Ordering::Acquire) >= turn {
                return Poll::Ready(());
            }
            self.waiting.lock().unwrap().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn take(&self, turn: usize) {
        self.now.store(turn, Ordering::Release);
        self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }
}

#[event]
struct Shipped {
    trouble: Trouble,
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    Error,
    Panic,
    PanicBefore,
}

#[listener(when = |e| e.trouble != Trouble::PanicBefore || panic!("no condition"))]
async fn track(e: &Shipped, log: &Recorder) -> Result<Tracked, String> {
    std::future::ready(()).await;
    log.note("track");
    match e.trouble {
        Trouble::Error => Err("no carrier".to_owned()),
        Trouble::Panic => panic!("the carrier is gone"),
        _ => Ok(Tracked),
    }
}

#[listener(when = |e| e.trouble == Trouble::None)]
async fn notify(_: &Shipped, log: &Recorder) {
    log.note("notify");
}

#[event]
struct Tracked;

#[listener]
async fn map(_: &Tracked, log: &Recorder, cx: Context<'_>) {
    log.note(format!(
        "map at depth {} because of {}",
        cx.depth(),
        cx.cause().unwrap().topic()
    ));
}

#[event]
struct Held;

/// Emits when it ends, whichever way.
struct Release;

impl Drop for Release {
    fn drop(&mut self) {
        emit(Released);
    }
}

#[listener]
async fn hold(_: &Held, turn: &Turn) {
    let _release = Release;
    turn.wait(usize::MAX).await;
}

#[event]
struct Released;

#[listener]
fn released(_: &Released, log: &Recorder) {
    log.note("released");
}

#[event]
struct Fuse;

impl Drop for Fuse {
    fn drop(&mut self) {
        panic!("the event's own drop");
    }
}

/// The last to hold the event.
#[listener]
async fn see(_: &Fuse, log: &Recorder) -> Tracked {
    log.note("see");
    Tracked
}

struct Fixture {
    bus: Bus,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<(FailureKind, String)>>>,
}

fn fixture() -> Fixture {
    let log = Arc::new(Recorder::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let tell = move |failure: &Failure| {
        let function = failure.listener().map_or("", ListenerInfo::function);
        hook.lock()
            .unwrap()
            .push((failure.kind(), format!("{function}: {}", failure.message())));
    };
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .state(Turn::default())
        .on_failure(tell)
        .build()
        .unwrap();
    Fixture { bus, log, told }
}

const NOT_AWAITED: &str = "the emission was not awaited to the end, and the bus has no runtime: write `.await`, or build the bus with `.runtime(..)` and `install()` it";

#[test]
fn d6_async_listeners_run_concurrently_in_the_awaiting_task() {
    let Fixture { bus, log, .. } = fixture();

    let report = block_on(async { bus.emit(Placed { order: 3 }).await });

    assert_eq!(
        log.take(),
        [
            "book 3",
            "reserve 3 starts",
            "confirm 3 starts",
            "confirm ends",
            "reserve ends"
        ]
    );
    assert_eq!(report.to_string(), "3 ran, 0 skipped, 0 failed, 0 queued");
}

#[test]
fn d6_async_listeners_start_with_the_first_poll() {
    let Fixture { bus, log, .. } = fixture();

    let emission = bus.emit(Placed { order: 4 }).into_future();
    assert_eq!(log.take(), ["book 4"]);

    block_on(emission);
    assert_eq!(log.take().len(), 4);
}

#[test]
fn d6_two_emissions_may_be_awaited_together() {
    let Fixture { bus, log, .. } = fixture();

    let (one, two) = block_on(async {
        join(
            bus.emit(Placed { order: 1 }).into_future(),
            bus.emit(Placed { order: 2 }).into_future(),
        )
        .await
    });

    assert_eq!((one.ran(), two.ran()), (3, 3));
    assert_eq!(log.take().len(), 10);
}

#[test]
fn d6_an_emission_that_is_never_awaited_is_a_reported_failure() {
    let Fixture { bus, log, told } = fixture();

    bus.emit(Placed { order: 5 });

    assert_eq!(log.take(), ["book 5"]);
    let expected = ["reserve", "confirm"]
        .map(|function| (FailureKind::NoRuntime, format!("{function}: {NOT_AWAITED}")));
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn d6_the_report_of_an_emission_that_is_not_awaited_has_a_failure_for_each_async_listener() {
    let Fixture { bus, told, .. } = fixture();

    let report = bus.emit(Placed { order: 5 }).report();

    assert_eq!((report.ran(), report.failed(), report.queued()), (1, 2, 0));
    assert!(
        report
            .failures()
            .iter()
            .all(|f| f.kind() == FailureKind::NoRuntime && f.message() == NOT_AWAITED)
    );
    assert_eq!(told.lock().unwrap().len(), 2);
}

#[test]
fn d6_an_emission_dropped_half_way_is_a_reported_failure_of_what_was_not_finished() {
    let Fixture { bus, log, told } = fixture();

    {
        let mut emission = pin!(bus.emit(Held).into_future());
        let poll = emission
            .as_mut()
            .poll(&mut std::task::Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
        assert!(told.lock().unwrap().is_empty());
    }

    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::NoRuntime, format!("hold: {NOT_AWAITED}"))]
    );
    assert_eq!(
        log.take(),
        ["released"],
        "what the future drops emits on the future's bus"
    );
}

#[test]
fn d6_an_emission_that_is_dropped_before_its_first_poll_is_reported_too() {
    let Fixture { bus, log, told } = fixture();

    drop(bus.emit(Held).into_future());

    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::NoRuntime, format!("hold: {NOT_AWAITED}"))]
    );
    assert!(log.take().is_empty());
}

#[test]
fn d6_what_an_async_listener_returns_is_emitted_and_awaited_too() {
    let Fixture { bus, log, .. } = fixture();

    let report = block_on(async {
        bus.emit(Shipped {
            trouble: Trouble::None,
        })
        .await
    });

    assert_eq!(report.to_string(), "2 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(
        log.take(),
        ["track", "notify", "map at depth 2 because of shipped"]
    );
}

#[test]
fn d6_an_async_listener_that_errors_is_a_failure_and_what_it_would_return_is_not_emitted() {
    let Fixture { bus, log, told } = fixture();

    let report = block_on(async {
        bus.emit(Shipped {
            trouble: Trouble::Error,
        })
        .await
    });

    assert_eq!((report.ran(), report.skipped(), report.failed()), (0, 1, 1));
    assert_eq!(report.failures()[0].kind(), FailureKind::Error);
    assert_eq!(log.take(), ["track"]);
    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::Error, "track: no carrier".to_owned())]
    );
}

#[test]
fn d3_a_panic_in_an_async_listeners_body_is_a_failure() {
    let Fixture { bus, told, .. } = fixture();

    let report = block_on(async {
        bus.emit(Shipped {
            trouble: Trouble::Panic,
        })
        .await
    });

    assert_eq!((report.ran(), report.skipped(), report.failed()), (0, 1, 1));
    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::Panic, "track: the carrier is gone".to_owned())]
    );
}

#[test]
fn d3_a_panic_while_an_async_delivery_is_prepared_is_a_failure() {
    let Fixture { bus, told, .. } = fixture();

    let report = block_on(async {
        bus.emit(Shipped {
            trouble: Trouble::PanicBefore,
        })
        .await
    });

    assert_eq!((report.ran(), report.skipped(), report.failed()), (0, 1, 1));
    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::Condition, "track: no condition".to_owned())]
    );
}

#[test]
fn d3_an_event_whose_drop_panics_after_its_async_listener_is_that_deliverys_failure() {
    let Fixture { bus, log, told } = fixture();

    let report = block_on(async { bus.emit(Fuse).await });

    assert_eq!((report.ran(), report.failed()), (0, 1));
    assert_eq!(
        *told.lock().unwrap(),
        [(FailureKind::Panic, "see: the event's own drop".to_owned())]
    );
    assert_eq!(
        log.take(),
        ["see"],
        "a delivery that failed has nothing emitted"
    );
}

#[test]
#[should_panic(expected = "an emission's future was polled after it gave its report")]
fn d6_a_future_that_gave_its_report_is_not_polled_again() {
    let Fixture { bus, .. } = fixture();
    let mut future = pin!(bus.emit(Released).into_future());
    let mut cx = std::task::Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_ready());

    let _ = future.as_mut().poll(&mut cx);
}
