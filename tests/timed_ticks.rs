//! `#[listener(every = ..)]` in virtual time: when ticks come, and when they come no more.
#![cfg(feature = "test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{
    Bus, BusBuilder, Context, FailureKind, ListenerInfo, Missed, Mode, Runtime, VirtualRuntime,
    event, listener, listeners,
};

/// What the listeners of one test have in common.
struct Desk {
    time: VirtualRuntime,
    log: Mutex<Vec<(u64, String)>>,
}

impl Desk {
    fn note(&self, what: impl Into<String>) {
        let entry = (self.time.elapsed().as_secs(), what.into());
        self.log.lock().unwrap().push(entry);
    }

    fn take(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn take_times(&self) -> Vec<u64> {
        self.take().into_iter().map(|(at, _)| at).collect()
    }

    async fn sleep(&self, seconds: u64) {
        let at = self.time.now() + Duration::from_secs(seconds);
        self.time.sleep_until(at).await;
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn desk() -> (VirtualRuntime, Arc<Desk>, BusBuilder) {
    let time = VirtualRuntime::new();
    let desk = Arc::new(Desk {
        time: time.clone(),
        log: Mutex::default(),
    });
    let builder = Bus::builder()
        .state(Arc::clone(&desk))
        .runtime(time.clone());
    (time, desk, builder)
}

#[listener(every = "10s")]
fn tick(cx: Context<'_>, desk: &Desk) {
    assert_eq!((cx.topic(), cx.depth()), ("tidings.tick", 1));
    assert!(cx.cause().is_none());
    desk.note(cx.listener().function());
}

#[test]
fn ticks_come_at_the_end_of_each_period() {
    let (time, desk, builder) = desk();
    let _bus = builder.only(tick).build().unwrap();

    time.advance(secs(3600));

    let expected: Vec<_> = (1..=360).map(|n| 10 * n).collect();
    assert_eq!(desk.take_times(), expected);
}

#[test]
fn a_tick_is_never_early() {
    let (time, desk, builder) = desk();
    let _bus = builder.only(tick).build().unwrap();

    time.advance(Duration::from_nanos(9_999_999_999));
    assert_eq!(desk.take(), []);
    time.advance(Duration::from_nanos(1));
    assert_eq!(desk.take(), [(10, "tick".to_owned())]);
}

#[listener(every = "10s")]
async fn first(cx: Context<'_>, desk: &Desk) {
    desk.note(cx.listener().function());
}

#[listener(every = "20s")]
fn second(cx: Context<'_>, desk: &Desk) {
    desk.note(cx.listener().function());
}

#[listener(every = "10s")]
fn third(cx: Context<'_>, desk: &Desk) {
    desk.note(cx.listener().function());
}

#[test]
fn ticks_of_one_time_come_in_the_order_of_their_listeners() {
    let (time, desk, builder) = desk();
    let _bus = builder.only((third, second, first)).build().unwrap();

    time.advance(secs(20));

    let log = desk.take();
    let log: Vec<_> = log.iter().map(|(at, name)| (*at, name.as_str())).collect();
    assert_eq!(
        log,
        [
            (10, "first"),
            (10, "third"),
            (20, "first"),
            (20, "second"),
            (20, "third")
        ]
    );
}

#[listener(every = "10s")]
async fn slow(desk: &Desk) {
    desk.note("begins");
    desk.sleep(25).await;
    desk.note("ends");
}

fn begins(missed: Missed) -> (Vec<u64>, u64) {
    let (time, desk, builder) = desk();
    let bus = builder
        .only(slow)
        .tune(slow, move |policy| policy.missed(missed))
        .on_failure(|_| ())
        .build()
        .unwrap();
    time.advance(secs(100));
    let log = desk.take();
    for pair in log.windows(2) {
        assert_ne!(pair[0].1, pair[1].1, "one ran beside another: {log:?}");
    }
    let begins = log.iter().filter(|(_, what)| what == "begins");
    let begins = begins.map(|(at, _)| *at).collect();
    (begins, bus.queues()[0].1.replaced)
}

#[test]
fn a_tick_is_not_run_over_itself() {
    // At 35 s that of 20 s comes, and the one of 30 s never does; those of 50, 60 and 80 s neither.
    assert_eq!(begins(Missed::Skip), (vec![10, 35, 60, 85], 4));
    assert_eq!(begins(Missed::Burst), (vec![10, 35, 60, 85], 0));
    assert_eq!(begins(Missed::Delay), (vec![10, 35, 60, 85], 0));
}

#[test]
fn a_thread_that_is_busy_delivers_as_missed_says() {
    let run = |missed| {
        let (time, desk, builder) = desk();
        let _bus = builder
            .only(tick)
            .tune(tick, move |policy| policy.missed(missed))
            .build()
            .unwrap();
        time.pass(secs(35));
        time.advance(secs(20));
        desk.take_times()
    };

    assert_eq!(run(Missed::Skip), [35, 40, 50]);
    assert_eq!(run(Missed::Burst), [35, 35, 35, 40, 50]);
    assert_eq!(run(Missed::Delay), [35, 45, 55]);
}

#[event]
#[derive(Clone)]
struct Swept(u32);

#[listener(every = "1h", emits(Swept))]
fn sweep(desk: &Desk) -> Result<Option<Swept>, String> {
    match desk.time.elapsed().as_secs() / 3600 {
        1 => Err("the broom is broken".into()),
        2 => panic!("a mouse"),
        hours => Ok(Some(Swept(u32::try_from(hours).unwrap()))),
    }
}

#[listener]
fn swept(e: &Swept, cx: Context<'_>, desk: &Desk) {
    let cause = cx.cause().expect("a tick emitted it");
    let by = cause.listener().expect("the bus lives");
    desk.note(format!("{} by {} of {}", e.0, by.function(), cause.topic()));
}

#[test]
fn what_a_tick_returns_is_emitted_and_its_failures_are_told() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let (time, desk, builder) = desk();
    let _bus = builder
        .only((sweep, swept))
        .on_failure(move |failure| {
            let by = failure.listener().map(ListenerInfo::function);
            let entry = (by, failure.kind(), failure.message().to_owned());
            told.lock().unwrap().push(entry);
        })
        .build()
        .unwrap();

    time.advance(secs(3 * 3600));

    let failures = failures.lock().unwrap().clone();
    let expected = [
        (FailureKind::Error, "the broom is broken"),
        (FailureKind::Panic, "a mouse"),
    ];
    let expected = expected.map(|(kind, text)| (Some("sweep"), kind, text.to_owned()));
    assert_eq!(failures, expected);
    let emitted = (10_800, "3 by sweep of tidings.tick".to_owned());
    assert_eq!(desk.take(), [emitted]);
}

#[listener(every = "10s", timeout = "3s")]
async fn stuck(desk: &Desk) {
    desk.note("begins");
    desk.sleep(7).await;
    desk.note("ends");
}

#[test]
fn a_tick_that_runs_too_long_is_ended() {
    let (time, desk, builder) = desk();
    let bus = builder.only(stuck).on_failure(|_| ()).build().unwrap();

    time.advance(secs(30));

    assert_eq!(desk.take_times(), [10, 20, 30]);
    assert_eq!(bus.queues()[0].1.failed, 2);
}

#[test]
fn a_shutdown_ends_the_ticks_and_waits_for_one_that_runs() {
    let (time, desk, builder) = desk();
    let bus = builder.only((slow, tick)).build().unwrap();
    time.advance(secs(10));
    assert_eq!(desk.take().len(), 2);

    let shutdown = bus.shutdown_blocking(secs(60)).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(desk.take(), [(35, "ends".to_owned())]);
    time.advance(secs(100));
    assert_eq!(desk.take(), []);
}

#[test]
fn the_drop_of_the_last_handle_ends_the_ticks() {
    let (time, desk, builder) = desk();
    let bus = builder.only(tick).build().unwrap();
    let weak = bus.downgrade();
    time.advance(secs(10));
    drop(bus);

    assert!(weak.upgrade().is_none(), "the ticks kept the bus");
    time.advance(secs(100));
    assert_eq!(desk.take_times(), [10]);
    assert_eq!(time.next_timer(), None);
}

struct Monitor {
    name: &'static str,
}

#[listeners]
impl Monitor {
    #[listener(every = "5s")]
    fn look(&self, desk: &Desk) {
        desk.note(self.name);
    }

    #[listener(every = "1m")]
    async fn clean(desk: &Desk) {
        desk.sleep(1).await;
        desk.note("clean");
    }
}

#[test]
fn an_attached_instance_ticks_until_it_is_detached() {
    let (time, desk, builder) = desk();
    let bus = builder.only(Monitor::clean).build().unwrap();
    time.advance(secs(1));
    let a = bus.attach(Arc::new(Monitor { name: "a" })).unwrap();
    let b = bus.attach(Arc::new(Monitor { name: "b" })).unwrap();
    time.advance(secs(10));
    drop(a);
    time.advance(secs(5));

    let log = desk.take();
    let log: Vec<_> = log.iter().map(|(at, name)| (*at, name.as_str())).collect();
    assert_eq!(log, [(6, "a"), (6, "b"), (11, "a"), (11, "b"), (16, "b")]);

    drop(b);
    time.advance(secs(45));
    assert_eq!(desk.take(), [(61, "clean".to_owned())]);
}

#[test]
fn a_runtime_that_ends_before_the_bus_ends_the_ticks_and_that_is_told() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let time = VirtualRuntime::new();
    let log = Arc::new(Desk {
        time: VirtualRuntime::new(),
        log: Mutex::default(),
    });
    let _bus = Bus::builder()
        .only(tick)
        .state(log)
        .runtime(time.clone())
        .on_failure(move |failure| {
            told.lock()
                .unwrap()
                .push((failure.kind(), failure.message().to_owned()));
        })
        .build()
        .unwrap();
    time.run_until_stalled();
    drop(time);

    let failures = failures.lock().unwrap();
    let [(kind, message)] = &failures[..] else {
        panic!("one failure: {failures:?}");
    };
    assert_eq!(*kind, FailureKind::Abandoned);
    assert!(
        message.starts_with("the listener ticks no more: "),
        "{message}"
    );
}

#[test]
fn async_ticks_of_a_bus_without_a_runtime_are_told_when_it_is_built() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let (_, desk, _) = desk();
    let _bus = Bus::builder()
        .only(first)
        .state(desk)
        .on_failure(move |failure| {
            let by = failure.listener().map(ListenerInfo::function);
            told.lock().unwrap().push((by, failure.kind()));
        })
        .build()
        .unwrap();

    assert_eq!(
        *failures.lock().unwrap(),
        [(Some("first"), FailureKind::NoRuntime)]
    );
}

#[test]
fn the_catalog_tells_of_ticks() {
    let catalog = tidings::catalog();
    let of = |name| {
        let mut listeners = catalog.listeners().iter();
        listeners.find(|l| l.function() == name).unwrap()
    };

    let policy = of("second").policy().unwrap();
    assert_eq!(
        (of("second").mode(), of("first").mode()),
        (Mode::Every, Mode::Every)
    );
    assert_eq!(policy.period(), Some(secs(20)));
    assert_eq!(policy.on_missed(), Missed::Skip);
    assert_eq!(of("tick").hears(), ["tidings.tick"]);
    let text = catalog.to_string();
    assert!(text.contains("timed_ticks::second  every 20s"), "{text}");
    assert!(
        !catalog
            .events()
            .iter()
            .any(|event| event.topic() == "tidings.tick")
    );
}

#[test]
fn the_kit_records_ticks_and_advance_runs_them() {
    let desk = Arc::new(Desk {
        time: VirtualRuntime::new(),
        log: Mutex::default(),
    });
    let bus = TestBus::builder().only((tick, first)).state(desk).build();

    bus.advance(secs(3600));
    let run = bus.settle_blocking();

    run.heard_by(tick).times(360);
    run.heard_by(first).times(360);
    run.order((tick, first));
    let text = run.to_string();
    assert!(
        text.contains("10s") && text.contains("`tidings.tick` emitted at"),
        "{text}"
    );
    // To settle is no reason to go on with the clock.
    bus.settle_blocking().not_heard_by((tick, first));
}

#[listener(every = "1m")]
fn nothing() {}

#[test]
fn a_tick_may_want_nothing() {
    let bus = TestBus::builder().only(nothing).build();
    bus.advance(secs(3600));
    bus.settle_blocking().heard_by(nothing).times(60).ok();
}

#[test]
fn the_kit_replaces_what_a_tick_does_and_makes_it_fail() {
    let bus = TestBus::builder()
        .only(sweep)
        .replace_tick(sweep, || Swept(7))
        .build();
    bus.advance(secs(2 * 3600));
    let run = bus.settle_blocking();
    run.heard_by(sweep).times(2);
    run.emitted::<Swept>().times(2);

    bus.fail(sweep).once();
    bus.advance(secs(3600));
    bus.settle_blocking().heard_by(sweep).once().failed();
}
