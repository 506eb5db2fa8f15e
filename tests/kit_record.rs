//! What the test kit's record counts, and how it is printed.
#![cfg(feature = "test")]

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{event, listener};

#[event]
struct Indexed(u32);

#[event]
struct Plain;

#[event]
struct Sampled;

#[event(stoppable)]
struct Asked;

#[event]
struct Slow;

#[event]
struct Ping;

#[event]
struct Fast;

#[listener(queue = 64, batch = 16, retry = 1, backoff = "1s..1s")]
fn index(events: &[&Indexed]) -> Result<(), String> {
    match events[0].0 {
        0 => Err("no index".into()),
        _ => Ok(()),
    }
}

#[listener]
fn plain(_: &Plain) {}

type Judged = AtomicUsize;

static JUDGED: Judged = AtomicUsize::new(0);

#[listener(when = |_| JUDGED.fetch_add(1, Ordering::SeqCst) % 2 == 0)]
fn sampled(_: &Sampled) {}

#[listener]
fn first(_: &Asked) -> Result<(), String> {
    Err("no bank".into())
}

#[listener(after = first)]
fn second(_: &Asked) -> Result<ControlFlow<()>, String> {
    Err("no bank".into())
}

#[listener(timeout = "5s")]
async fn slow(_: &Slow) {}

#[listener]
fn slow_inline(_: &Slow) {}

#[listener]
async fn circle(_: &Ping) -> Ping {
    Ping
}

#[listener(queue = 8)]
fn fast(_: &Fast) {}

fn bus() -> TestBus {
    TestBus::builder().on_failure(|_| ()).build()
}

/// The message of the panic.
fn complaint(f: impl FnOnce()) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let panic = caught.expect_err("it was to fail");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn what_other_threads_emit_meanwhile_is_of_one_run() {
    const EMITTED: usize = 20_000;
    let bus = bus();
    let stop = AtomicBool::new(false);
    let mut seen = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..EMITTED {
                bus.emit(Plain);
            }
            stop.store(true, Ordering::SeqCst);
        });
        while !stop.load(Ordering::SeqCst) {
            seen += bus.settle_blocking().emitted::<Plain>().count();
        }
    });
    seen += bus.settle_blocking().emitted::<Plain>().count();
    assert_eq!(seen, EMITTED);
}

#[test]
fn each_event_of_a_batch_that_fails_is_a_failed_delivery() {
    let bus = bus();
    for number in [0, 1, 2] {
        bus.emit(Indexed(number));
    }
    let run = bus.settle_blocking();
    run.heard_by(index)
        .times(3)
        .tries(6)
        .failed_with("no index");
    assert_eq!(bus.queues()[0].1.failed, 3);
}

#[test]
fn a_condition_is_judged_once_with_a_fault_too() {
    let bus = bus();
    bus.delay(sampled, Duration::from_secs(1));
    for _ in 0..4 {
        bus.emit(Sampled);
    }
    let run = bus.settle_blocking();
    run.heard_by(sampled).times(2).skipped(2);
    assert_eq!(JUDGED.load(Ordering::SeqCst), 4);
    assert_eq!(bus.elapsed(), Duration::from_secs(2));
}

#[test]
fn a_failure_is_told_for_each_listener_that_has_the_same_words() {
    let bus = bus();
    bus.panic(second);
    bus.fail(first).with("a panic that the test asked for");
    bus.emit(Asked);
    let text = bus.settle_blocking().to_string();
    let told = "failure of kit_record::second: panic, \"a panic that the test asked for\"";
    assert!(text.contains(told), "{text}");
    assert_eq!(text.matches("failure of").count(), 1, "{text}");
}

#[test]
fn a_delivery_that_ends_in_its_delay_is_a_call() {
    let bus = bus();
    bus.delay(slow, Duration::from_secs(10));
    bus.emit(Slow);
    let run = bus.settle_blocking();
    run.heard_by(slow).once().tries(1).failed();
    let text = run.to_string();
    assert!(text.contains("slow: its future was dropped"), "{text}");
    assert_eq!(bus.elapsed(), Duration::from_secs(5));
}

#[test]
fn what_a_queue_took_in_stands_before_its_call() {
    for _ in 0..200 {
        let bus = TestBus::builder().real_threads().build();
        for _ in 0..4 {
            bus.emit(Fast);
        }
        let text = bus.settle_blocking().to_string();
        let mut queued = 0_u32;
        for line in text.lines() {
            if line.contains("fast: queued") {
                queued += 1;
            }
            if line.contains("fast: ran") {
                assert!(queued > 0, "{text}");
                queued -= 1;
            }
        }
    }
}

type Wait = fn(&TestBus);

#[test]
fn a_circle_of_deliveries_ends_in_a_failure_of_some_lines() {
    let bus = || {
        let builder = TestBus::builder().only(circle);
        builder.deadline(Duration::from_millis(200)).build()
    };
    let waiting: [(&str, Wait); 3] = [
        ("settle", |bus| drop(bus.settle_blocking())),
        ("advance", |bus| bus.advance(Duration::ZERO)),
        ("advance", |bus| bus.advance(Duration::from_secs(3600))),
    ];
    for (name, wait) in waiting {
        let bus = bus();
        bus.emit(Ping);
        let said = complaint(|| wait(&bus));
        assert!(
            said.starts_with(&format!("`{name}` at tests/kit_record.rs:")),
            "{said}"
        );
        assert!(said.contains("did not end:\n  "), "{said}");
        assert!(said.contains("kit_record::circle"), "{said}");
        assert!(said.contains(" more\n"), "{said}");
        assert!(said.contains(" deep) "), "{said}");
        assert!(said.lines().count() < 300, "{} lines", said.lines().count());
        assert!(said.lines().all(|line| line.len() < 200), "{said}");
    }
}

#[test]
fn settling_on_another_thread_than_the_bus_s_own_is_refused_at_once() {
    let bus = bus();
    bus.emit(Slow);
    let said = std::thread::scope(|scope| {
        let settle = || complaint(|| drop(futures::executor::block_on(bus.settle())));
        let refused = scope.spawn(settle);
        refused.join().expect("it is caught")
    });
    assert!(
        said.starts_with("`settle` at tests/kit_record.rs:"),
        "{said}"
    );
    assert!(said.contains("another thread"), "{said}");
    bus.settle_blocking().heard_by(slow).once().ok();
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn another_runtime_s_clock_tells_the_time() {
    let bus = TestBus::builder()
        .on_failure(|_| ())
        .runtime(tokio::runtime::Handle::current())
        .build();
    bus.delay(slow, Duration::from_secs(3600));
    bus.delay(slow_inline, Duration::from_secs(3600));
    bus.emit(Slow);
    let run = bus.settle().await;
    run.heard_by(slow).once().failed();
    assert_eq!(bus.elapsed().as_secs(), 5);
    let text = run.to_string();
    assert!(text.contains("\n  5"), "{text}");
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_delay_of_a_plain_function_passes_on_another_runtime_s_clock() {
    let runtime = tokio::runtime::Handle::current();
    let bus = TestBus::builder().runtime(runtime).build();
    bus.delay(slow_inline, Duration::from_millis(30));
    bus.emit(Slow).await;
    assert!(bus.elapsed() >= Duration::from_millis(30));
}
