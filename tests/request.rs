//! Requests: who answers, what the others do, and why there may be no answer.
#![cfg(feature = "runtime")]

mod support;

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use support::Recorder;
use tidings::{
    Bus, BusBuilder, FailureKind, RequestError, RequestErrorKind, Runtime, Task, VirtualRuntime,
    event, listener, listeners,
};

const SECOND: Duration = Duration::from_secs(1);

/// Neither `Clone` nor `Sync`.
#[derive(Debug)]
struct Quote {
    cents: Cell<u64>,
}

impl Quote {
    fn of(cents: u64) -> Self {
        Self {
            cents: Cell::new(cents),
        }
    }
}

#[event(reply = Quote)]
struct GetQuote {
    pieces: u64,
}

#[listener]
fn observe_before(_: &GetQuote, log: &Recorder) {
    log.note("before");
}

#[listener(reply, when = |e| e.pieces > 0)]
fn quote(e: &GetQuote, log: &Recorder) -> Quote {
    log.note("quote");
    assert!(e.pieces < 100, "too many pieces");
    Quote::of(e.pieces * 250)
}

#[listener(late)]
fn observe_after(_: &GetQuote, log: &Recorder) {
    log.note("after");
}

#[derive(Debug, PartialEq)]
struct Unknown(u64);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} is unknown", self.0)
    }
}

impl Error for Unknown {}

#[event(reply = String)]
struct GetStatus {
    order: u64,
    /// How long it takes.
    seconds: u64,
}

#[listener(reply, timeout = "60s")]
async fn status(e: &GetStatus, time: &VirtualRuntime) -> Result<String, Unknown> {
    let at = time.now() + Duration::from_secs(e.seconds);
    time.sleep_until(at).await;
    assert!(e.order < 100, "too many orders");
    if e.order == 0 {
        return Err(Unknown(0));
    }
    Ok(format!("order {} is on its way", e.order))
}

#[listener]
async fn watch_slowly(_: &GetStatus, time: &VirtualRuntime, log: &Recorder) {
    time.sleep_until(time.now() + 30 * SECOND).await;
    log.note("watched");
}

/// Asks itself.
#[event(reply = u32)]
struct Descend(u32);

#[listener(reply)]
fn descend(e: &Descend, cx: tidings::Context<'_>) -> Result<u32, RequestError> {
    Ok(cx.request(Descend(e.0 + 1)).now()? + 1)
}

#[event(reply = u32)]
struct DescendLater(u32);

#[listener(reply)]
async fn descend_later(e: &DescendLater, cx: tidings::Context<'_>) -> Result<u32, RequestError> {
    Ok(Box::pin(cx.request(DescendLater(e.0 + 1))).await? + 1)
}

/// What an observer emits before the answerer runs must not be taken for the request.
#[event(reply = u32)]
struct Count(u32);

#[listener(early, when = |e| e.0 == 1)]
fn count_also(_: &Count, cx: tidings::Context<'_>) {
    assert_eq!(cx.emit(Count(10)).report().ran(), 1);
    assert_eq!(cx.request(Count(20)).now().ok(), Some(20));
}

#[listener(reply)]
fn count(e: &Count) -> u32 {
    e.0
}

#[event(reply = (), stoppable)]
struct Confirm {
    stop: bool,
}

#[listener(early)]
fn stop(e: &Confirm) -> std::ops::ControlFlow<()> {
    if e.stop {
        std::ops::ControlFlow::Break(())
    } else {
        std::ops::ControlFlow::Continue(())
    }
}

#[listener(reply)]
fn confirm(_: &Confirm) {}

#[event("page.get", reply = Vec<T>)]
struct GetPage<T: Send + Sync + Clone>(T);

#[listener(reply)]
fn numbers(e: &GetPage<u8>) -> Vec<u8> {
    vec![e.0; 2]
}

#[listener(reply)]
async fn words(e: &GetPage<&'static str>) -> Vec<&'static str> {
    vec![e.0; 3]
}

#[event(reply = usize)]
struct GetLength(&'static str);

struct Ruler(AtomicUsize);

#[listeners]
impl Ruler {
    #[listener(reply)]
    async fn length(&self, e: &GetLength) -> usize {
        std::future::ready(self.0.fetch_add(1, Ordering::SeqCst)).await;
        e.0.len()
    }
}

#[event(reply = u8)]
struct Endless;

#[listener(reply)]
async fn never(_: &Endless) -> u8 {
    std::future::pending().await
}

struct World {
    bus: Bus,
    time: VirtualRuntime,
    log: Arc<Recorder>,
    failures: Arc<Mutex<Vec<FailureKind>>>,
}

impl World {
    fn new() -> Self {
        Self::of(|builder, time| builder.runtime(time.clone()))
    }

    fn without_runtime() -> Self {
        Self::of(|builder, _| builder)
    }

    fn of(change: impl FnOnce(BusBuilder, &VirtualRuntime) -> BusBuilder) -> Self {
        let (time, log) = (VirtualRuntime::new(), Arc::<Recorder>::default());
        let failures = Arc::<Mutex<Vec<_>>>::default();
        let told = Arc::clone(&failures);
        let builder = Bus::builder()
            .state(time.clone())
            .state(Arc::clone(&log))
            .on_failure(move |failure| told.lock().unwrap().push(failure.kind()));
        let bus = change(builder, &time).build().unwrap();
        Self {
            bus,
            time,
            log,
            failures,
        }
    }

    fn failures(&self) -> Vec<FailureKind> {
        std::mem::take(&mut *self.failures.lock().unwrap())
    }
}

fn kind<T>(result: Result<T, RequestError>) -> RequestErrorKind {
    result.map(drop).unwrap_err().kind()
}

#[test]
fn one_listener_answers_and_the_others_observe_in_their_order() {
    let world = World::new();
    let quote = block_on(world.bus.request(GetQuote { pieces: 4 })).unwrap();

    assert_eq!(quote.cents.get(), 1000);
    assert_eq!(world.log.take(), ["before", "quote", "after"]);
}

#[test]
fn a_plain_function_has_answered_when_the_call_returns() {
    let world = World::without_runtime();
    let request = world.bus.request(GetQuote { pieces: 4 });
    assert_eq!(world.log.take(), ["before", "quote", "after"]);

    assert_eq!(request.now().unwrap().cents.get(), 1000);
}

#[test]
fn emitted_the_answerer_runs_and_its_answer_is_dropped() {
    let world = World::new();
    let report = world.bus.emit(GetQuote { pieces: 4 }).report();

    assert_eq!((report.ran(), report.failed()), (3, 0));
    assert_eq!(world.log.take(), ["before", "quote", "after"]);
}

#[test]
fn an_async_listener_answers_on_the_runtime() {
    let world = World::new();
    let request = world.bus.request(GetStatus {
        order: 7,
        seconds: 5,
    });

    assert_eq!(block_on(request).unwrap(), "order 7 is on its way");
    // The slow observer is not waited for.
    assert_eq!(world.time.elapsed(), 5 * SECOND);
    assert!(world.log.take().is_empty());
    world.time.advance(60 * SECOND);
    assert_eq!(world.log.take(), ["watched"]);
    assert!(world.failures().is_empty());
}

#[test]
fn without_a_runtime_the_request_ends_when_all_listeners_have() {
    let world = World::without_runtime();
    let request = world.bus.request(GetStatus {
        order: 7,
        seconds: 5,
    });

    assert_eq!(
        world.time.block_on(request).unwrap(),
        "order 7 is on its way"
    );
    assert_eq!(world.log.take(), ["watched"]);
    assert!(world.failures().is_empty());
}

#[test]
fn an_answer_of_another_thread_wakes_who_asked() {
    /// Every delivery on a thread of its own.
    struct Threads;
    impl Runtime for Threads {
        fn spawn(&self, task: Task) {
            thread::spawn(|| block_on(task));
        }
    }

    for _ in 0..100 {
        let world = World::of(|builder, _| builder.runtime(Threads));
        let request = world.bus.request(GetPage("word"));
        assert_eq!(block_on(request).unwrap(), ["word"; 3]);
    }
}

#[test]
fn left_out_it_is_answered_by_nobody_and_observed_all_the_same() {
    let world = World::of(|builder, _| builder.without(quote));
    let error = block_on(world.bus.request(GetQuote { pieces: 4 })).unwrap_err();

    assert_eq!(error.kind(), RequestErrorKind::NoListener);
    assert_eq!(error.topic(), "get_quote");
    assert_eq!(error.to_string(), "nobody answered `get_quote`");
    assert_eq!(world.log.take(), ["before", "after"]);
}

#[test]
fn a_condition_that_says_no_and_a_run_that_is_stopped_leave_no_answerer() {
    let world = World::new();
    let skipped = block_on(world.bus.request(GetQuote { pieces: 0 }));
    let stopped = block_on(world.bus.request(Confirm { stop: true }));

    assert_eq!(kind(skipped), RequestErrorKind::NoListener);
    assert_eq!(kind(stopped), RequestErrorKind::NoListener);
    assert!(world.failures().is_empty());
}

#[test]
fn an_answer_may_be_nothing() {
    let world = World::new();
    assert!(block_on(world.bus.request(Confirm { stop: false })).is_ok());
}

#[test]
fn each_instantiation_of_a_generic_request_has_its_answerer() {
    let world = World::new();
    assert_eq!(block_on(world.bus.request(GetPage(7u8))).unwrap(), [7, 7]);
    assert_eq!(block_on(world.bus.request(GetPage("a"))).unwrap(), ["a"; 3]);
    assert_eq!(
        kind(block_on(world.bus.request(GetPage('a')))),
        RequestErrorKind::NoListener
    );
}

#[test]
fn the_error_of_the_answerer_goes_to_who_asked_and_to_the_hook() {
    let world = World::new();
    let error = block_on(world.bus.request(GetStatus {
        order: 0,
        seconds: 0,
    }))
    .unwrap_err();

    assert_eq!(error.kind(), RequestErrorKind::Failed);
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<Unknown>());
    assert_eq!(source, Some(&Unknown(0)));
    assert_eq!(error.to_string(), "`get_status` was answered with an error");
    assert_eq!(world.failures(), [FailureKind::Error]);
}

#[test]
fn the_hook_sees_the_error_itself() {
    let (sender, seen) = mpsc::channel();
    let world = World::of(|builder, time| {
        builder.runtime(time.clone()).on_failure(move |failure| {
            let source = failure
                .source()
                .and_then(|source| source.downcast_ref::<Unknown>());
            let source = source.is_some();
            // The observer is told of too, when its runtime ends with the test.
            let _ = sender.send((failure.message().to_owned(), source));
        })
    });
    assert!(
        block_on(world.bus.request(GetStatus {
            order: 0,
            seconds: 0
        }))
        .is_err()
    );

    assert_eq!(seen.recv(), Ok(("order 0 is unknown".to_owned(), true)));
}

#[test]
fn an_answerer_that_panics_leaves_nobody_waiting() {
    for world in [World::new(), World::without_runtime()] {
        let plain = world
            .time
            .block_on(world.bus.request(GetQuote { pieces: 100 }));
        assert_eq!(kind(plain), RequestErrorKind::Dropped);
        let later = GetStatus {
            order: 100,
            seconds: 1,
        };
        let later = world.time.block_on(world.bus.request(later));
        assert_eq!(kind(later), RequestErrorKind::Dropped);
        assert_eq!(world.failures(), [FailureKind::Panic; 2]);
    }
}

#[test]
fn an_answerer_that_runs_for_too_long_leaves_nobody_waiting() {
    let world = World::new();
    let long = GetStatus {
        order: 7,
        seconds: 90,
    };

    assert_eq!(
        kind(block_on(world.bus.request(long))),
        RequestErrorKind::Dropped
    );
    assert_eq!(world.time.elapsed(), 60 * SECOND);
    assert_eq!(world.failures(), [FailureKind::TimedOut]);
}

#[test]
fn within_ends_the_wait_exactly_in_time_and_the_answerer_goes_on() {
    let world = World::new();
    let long = GetStatus {
        order: 7,
        seconds: 10,
    };
    let error = block_on(world.bus.request(long).within(3 * SECOND)).unwrap_err();

    assert_eq!(error.kind(), RequestErrorKind::TimedOut);
    assert_eq!(error.to_string(), "`get_status` was not answered within 3s");
    assert_eq!(world.time.elapsed(), 3 * SECOND);
    world.time.advance(60 * SECOND);
    assert!(world.failures().is_empty());
}

#[test]
fn without_a_runtime_within_ends_by_the_real_clock_and_the_answerer_that_nobody_runs_is_told() {
    let world = World::without_runtime();
    let request = world.bus.request(Endless);
    let error = block_on(request.within(Duration::from_millis(5))).unwrap_err();

    assert_eq!(error.kind(), RequestErrorKind::TimedOut);
    assert_eq!(world.failures(), [FailureKind::Abandoned]);
}

#[test]
fn without_a_runtime_the_failure_of_a_late_answerer_says_that_nobody_waits() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::clone(&told);
    let bus = Bus::builder()
        .only(never)
        .on_failure(move |failure| failures.lock().unwrap().push(failure.message().to_owned()))
        .build()
        .unwrap();
    let error = block_on(bus.request(Endless).within(Duration::from_millis(5)));

    assert_eq!(kind(error), RequestErrorKind::TimedOut);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("nobody waits for the answer to `endless` after 5ms"));
    assert!(!told[0].contains(".await"), "it was awaited: {}", told[0]);
}

#[test]
fn now_does_not_wait_for_an_async_listener() {
    let world = World::new();
    let request = world.bus.request(GetStatus {
        order: 7,
        seconds: 1,
    });

    assert_eq!(kind(request.now()), RequestErrorKind::NotReady);
    world.time.advance(60 * SECOND);
    assert_eq!(world.log.take(), ["watched"]);
}

#[test]
fn a_request_that_is_dropped_changes_nothing_for_the_listeners() {
    let world = World::new();
    drop(world.bus.request(GetStatus {
        order: 7,
        seconds: 1,
    }));
    world.time.advance(60 * SECOND);

    assert_eq!(world.log.take(), ["watched"]);
    assert!(world.failures().is_empty());
}

#[test]
fn a_shutdown_lets_the_answer_come_and_cancels_the_wait_at_its_deadline() {
    let world = World::new();
    let mut quick = pin!(world.bus.request(GetStatus {
        order: 1,
        seconds: 2
    }));
    let mut slow = pin!(world.bus.request(GetStatus {
        order: 2,
        seconds: 50
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(quick.as_mut().poll(&mut cx).is_pending());
    assert!(slow.as_mut().poll(&mut cx).is_pending());

    block_on(world.bus.shutdown(10 * SECOND)).unwrap();

    assert!(matches!(quick.as_mut().poll(&mut cx), Poll::Ready(Ok(_))));
    let Poll::Ready(Err(error)) = slow.as_mut().poll(&mut cx) else {
        panic!("the bus is shut down");
    };
    assert_eq!(error.kind(), RequestErrorKind::Cancelled);
    assert_eq!(
        error.to_string(),
        "the bus was shut down before `get_status` was answered"
    );
}

#[test]
fn a_bus_that_is_shut_down_refuses_a_request() {
    let world = World::new();
    block_on(world.bus.shutdown(SECOND)).unwrap();

    let error = block_on(world.bus.request(GetQuote { pieces: 1 })).unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Refused);
    assert_eq!(
        error.to_string(),
        "`get_quote` was not delivered: `get_quote` was emitted after the bus was shut down"
    );
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    /// Drops what it is given.
    struct Ended;
    impl Runtime for Ended {
        fn spawn(&self, task: Task) {
            drop(task);
        }
    }

    let world = World::of(|builder, _| builder.runtime(Ended));
    let error = block_on(world.bus.request(GetPage("word")));

    assert_eq!(kind(error), RequestErrorKind::Dropped);
    assert_eq!(world.failures(), [FailureKind::Abandoned]);
}

#[test]
fn an_answerer_that_asks_itself_ends_at_the_depth_limit() {
    let world = World::new();
    let error = block_on(world.bus.request(Descend(0))).unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Failed);
    let failures = world.failures();
    assert_eq!(
        failures
            .iter()
            .filter(|kind| **kind == FailureKind::Depth)
            .count(),
        1
    );
    assert_eq!(failures.len(), 65);

    let world = World::without_runtime();
    let error = block_on(world.bus.request(DescendLater(0))).unwrap_err();
    assert_eq!(error.kind(), RequestErrorKind::Failed);
    let mut source: &(dyn Error + 'static) = &error;
    while let Some(next) = source.source() {
        source = next;
    }
    let innermost = source.downcast_ref::<RequestError>().unwrap();
    assert_eq!(innermost.kind(), RequestErrorKind::Refused);
}

#[test]
fn on_a_runtime_an_answerer_that_asks_itself_ends_at_its_limit() {
    let world = World::new();
    let error = block_on(world.bus.request(DescendLater(0))).unwrap_err();

    assert_eq!(error.kind(), RequestErrorKind::Failed);
    assert!(world.failures().contains(&FailureKind::Overloaded));
}

#[test]
fn an_event_of_the_same_type_that_an_observer_emits_takes_no_answer_away() {
    let world = World::new();
    assert_eq!(block_on(world.bus.request(Count(1))).unwrap(), 1);
    assert!(world.failures().is_empty());
}

#[test]
fn a_method_of_an_attached_instance_answers() {
    let world = World::new();
    let missing = block_on(world.bus.request(GetLength("four")));
    assert_eq!(kind(missing), RequestErrorKind::NoListener);
    let ruler = Arc::new(Ruler(AtomicUsize::new(0)));
    let attached = world.bus.attach(Arc::clone(&ruler)).unwrap();
    assert_eq!(block_on(world.bus.request(GetLength("four"))).unwrap(), 4);

    drop(attached);
    assert_eq!(
        kind(block_on(world.bus.request(GetLength("four")))),
        RequestErrorKind::NoListener
    );
    assert_eq!(ruler.0.load(Ordering::SeqCst), 1);
}

#[test]
fn a_second_instance_that_answers_cannot_be_attached() {
    let world = World::new();
    let ruler = || Arc::new(Ruler(AtomicUsize::new(0)));
    let first = world.bus.attach(ruler()).unwrap();

    let error = world.bus.attach(ruler()).unwrap_err();
    assert_eq!(error.problems()[0].code(), tidings::Code::TwoReplies);
    drop(first);
    assert!(world.bus.attach(ruler()).is_ok());
}

#[test]
fn a_listener_waits_for_an_answer() {
    let world = World::new();
    let bus = world.bus.clone();
    let asked = world.time.block_on(async move {
        let status = bus.request(GetStatus {
            order: 3,
            seconds: 1,
        });
        let quote = bus.request(GetQuote { pieces: 2 });
        (quote.await.unwrap().cents.get(), status.await.unwrap())
    });

    assert_eq!(asked, (500, "order 3 is on its way".to_owned()));
}

#[test]
fn the_catalog_shows_who_answers_what() {
    let catalog = tidings::catalog();
    let text = catalog.to_string();
    assert!(
        text.contains("get_quote v1  request::GetQuote  replies Quote"),
        "{text}"
    );
    assert!(
        text.contains("request::quote  main  inline  answers  when |e| e.pieces > 0"),
        "{text}"
    );
    let page = catalog
        .events()
        .iter()
        .find(|e| e.topic() == "page.get")
        .unwrap();
    assert_eq!(page.reply(), Some("Vec<T>"));
    let answerers = catalog.listeners().iter().filter(|l| l.replies());
    assert_eq!(answerers.count(), 9);
}

#[cfg(feature = "json")]
#[test]
fn the_catalog_says_in_json_who_answers_what() {
    let catalog: serde_json::Value = serde_json::from_str(&tidings::catalog().to_json()).unwrap();
    let find = |list: &str, key: &str, value: &str| {
        let mut entries = catalog[list].as_array().unwrap().iter();
        entries.find(|entry| entry[key] == value).unwrap().clone()
    };

    assert_eq!(find("events", "topic", "get_quote")["reply"], "Quote");
    assert_eq!(find("listeners", "function", "quote")["replies"], true);
    assert_eq!(
        find("listeners", "function", "observe_after")["replies"],
        false
    );
}
