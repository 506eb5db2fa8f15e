//! `#[listener(debounce = ..)]` and `#[listener(throttle = ..)]` in virtual time: what is delivered when, and what becomes of the rest.
#![cfg(feature = "test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::test::TestBus;
use tidings::{
    AnyEvent, Bus, BusBuilder, Context, FailureKind, Mode, Runtime, VirtualRuntime, event,
    listener, listeners,
};

/// What the listeners of one test have in common.
struct Desk {
    time: VirtualRuntime,
    log: Mutex<Vec<(u64, u32)>>,
}

impl Desk {
    /// Milliseconds, and what came.
    fn note(&self, what: u32) {
        let at = u64::try_from(self.time.elapsed().as_millis()).unwrap();
        self.log.lock().unwrap().push((at, what));
    }

    fn take(&self) -> Vec<(u64, u32)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    async fn sleep(&self, millis: u64) {
        let at = self.time.now() + ms(millis);
        self.time.sleep_until(at).await;
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
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

/// Emits each event at its time, and goes on for an hour.
fn emit_at(bus: &Bus, time: &VirtualRuntime, typed: &[(u64, Typed)]) {
    let start = time.elapsed();
    for (at, event) in typed {
        time.advance((start + ms(*at)).saturating_sub(time.elapsed()));
        assert_eq!(bus.emit(event.clone()).report().queued(), 1);
    }
    time.advance(Duration::from_secs(3600));
}

#[event]
#[derive(Clone)]
struct Typed {
    user: u32,
    letter: u32,
}

fn typed(letter: u32) -> Typed {
    Typed { user: 0, letter }
}

#[listener(debounce = "200ms")]
fn search(e: &Typed, desk: &Desk) {
    desk.note(e.letter);
}

#[listener(debounce = "200ms")]
async fn search_async(e: &Typed, desk: &Desk) {
    desk.note(e.letter);
}

#[test]
fn a_debounced_listener_is_given_the_last_event_once_it_is_quiet() {
    for asynchronous in [false, true] {
        let (time, desk, builder) = desk();
        let bus = if asynchronous {
            builder.only(search_async).build().unwrap()
        } else {
            builder.only(search).build().unwrap()
        };
        let events = [(0, 1), (100, 2), (299, 3), (1000, 4), (1200, 5)];
        emit_at(&bus, &time, &events.map(|(at, letter)| (at, typed(letter))));

        // The one at 1,200 ms came when it was quiet for 200 ms.
        assert_eq!(desk.take(), [(499, 3), (1200, 4), (1400, 5)]);
        let figures = bus.queues()[0].1;
        assert_eq!((figures.delivered, figures.replaced), (3, 2));
        assert_eq!((figures.depth, figures.high_water), (0, 1));
    }
}

#[listener(throttle = "1s")]
fn render(e: &Typed, desk: &Desk) {
    desk.note(e.letter);
}

#[listener(throttle = "1s")]
async fn render_async(e: &Typed, desk: &Desk) {
    desk.note(e.letter);
}

#[test]
fn a_throttled_listener_is_given_the_first_event_and_the_latest_of_each_period() {
    for asynchronous in [false, true] {
        let (time, desk, builder) = desk();
        let bus = if asynchronous {
            builder.only(render_async).build().unwrap()
        } else {
            builder.only(render).build().unwrap()
        };
        let events = [(0, 1), (300, 2), (600, 3), (1200, 4), (5000, 5), (6000, 6)];
        emit_at(&bus, &time, &events.map(|(at, letter)| (at, typed(letter))));

        let expected = [(0, 1), (1000, 3), (2000, 4), (5000, 5), (6000, 6)];
        assert_eq!(desk.take(), expected);
        let figures = bus.queues()[0].1;
        assert_eq!((figures.delivered, figures.replaced), (5, 1));
    }
}

#[listener(debounce = "200ms", key = |e| e.user)]
fn save(e: &Typed, desk: &Desk) {
    desk.note(e.user * 10 + e.letter);
}

#[listener(throttle = "1s", key = |e| e.user)]
fn show(e: &Typed, desk: &Desk) {
    desk.note(e.user * 10 + e.letter);
}

#[test]
fn each_key_has_its_own_time() {
    let events = [
        (0, 1, 1),
        (100, 2, 1),
        (150, 1, 2),
        (250, 2, 2),
        (700, 1, 3),
    ];
    let events = events.map(|(at, user, letter)| (at, Typed { user, letter }));

    let (time, desk, builder) = desk();
    let bus = builder.only(save).build().unwrap();
    emit_at(&bus, &time, &events);
    assert_eq!(desk.take(), [(350, 12), (450, 22), (900, 13)]);

    let (time, desk, builder) = self::desk();
    let bus = builder.only(show).build().unwrap();
    emit_at(&bus, &time, &events);
    assert_eq!(desk.take(), [(0, 11), (100, 21), (1000, 13), (1100, 22)]);
}

#[listener(debounce = "200ms", when = |e| e.letter > 1)]
fn wanted(e: &Typed, desk: &Desk) {
    desk.note(e.letter);
}

#[test]
fn what_the_listener_does_not_want_neither_waits_nor_replaces() {
    let (time, desk, builder) = desk();
    let bus = builder.only(wanted).build().unwrap();

    bus.emit(typed(2));
    time.advance(ms(100));
    assert_eq!(bus.emit(typed(1)).report().skipped(), 1);
    time.advance(ms(100));

    assert_eq!(desk.take(), [(200, 2)]);
}

#[listener(throttle = "100ms")]
async fn upload(e: &Typed, desk: &Desk) {
    desk.note(e.letter);
    desk.sleep(250).await;
}

#[test]
fn a_slow_listener_is_given_the_latest_when_it_is_done() {
    let (time, desk, builder) = desk();
    let bus = builder.only(upload).build().unwrap();
    let events = [(0, 1), (50, 2), (150, 3), (240, 4), (251, 5)];
    emit_at(&bus, &time, &events.map(|(at, letter)| (at, typed(letter))));

    assert_eq!(desk.take(), [(0, 1), (250, 4), (500, 5)]);
    assert_eq!(bus.queues()[0].1.replaced, 2);
}

#[test]
fn a_shutdown_delivers_what_waits_at_once() {
    let (time, desk, builder) = desk();
    let bus = builder.only((save, render)).build().unwrap();
    bus.emit(Typed { user: 1, letter: 1 });
    time.advance(ms(0));
    bus.emit(Typed { user: 2, letter: 2 });
    time.advance(ms(10));
    assert_eq!(desk.take(), [(0, 1)]);
    let [render, save] = [0, 1].map(|at| bus.queues()[at].1);
    assert_eq!((render.depth, save.depth), (1, 2));
    assert_eq!((save.high_water, save.oldest), (2, Some(ms(10))));

    let shutdown = bus.shutdown_blocking(ms(1000)).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    let mut log = desk.take();
    log.sort_unstable();
    assert_eq!(log, [(10, 2), (10, 11), (10, 22)]);
}

#[test]
fn a_shutdown_waits_for_what_runs_and_is_held_and_for_nothing_that_was_replaced() {
    let (time, desk, builder) = desk();
    let bus = builder.only(upload).build().unwrap();
    for letter in 1..=4 {
        bus.emit(typed(letter));
        time.advance(ms(10));
    }
    assert_eq!(bus.queues()[0].1.replaced, 2);

    let shutdown = bus.shutdown_blocking(Duration::from_secs(3600)).unwrap();

    assert!(shutdown.is_clean(), "{shutdown}");
    assert_eq!(desk.take(), [(0, 1), (250, 4)]);
    assert_eq!(time.elapsed(), ms(500));
}

#[listener(debounce = "200ms")]
async fn endless(_: &Typed, desk: &Desk) {
    desk.note(0);
    std::future::pending::<()>().await;
}

#[test]
fn what_a_shutdown_cannot_deliver_is_abandoned_by_name() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let (time, desk, builder) = desk();
    let bus = builder
        .only(endless)
        .on_failure(move |failure| told.lock().unwrap().push(failure.kind()))
        .build()
        .unwrap();
    bus.emit(typed(1));
    time.advance(ms(200));
    bus.emit(typed(2));
    bus.emit(typed(3));
    time.advance(ms(500));
    assert_eq!(bus.queues()[0].1.depth, 1);

    let shutdown = bus.shutdown_blocking(ms(1000)).unwrap();

    let [left] = shutdown.left() else {
        panic!("one listener: {shutdown}");
    };
    assert_eq!((left.waiting(), left.in_flight()), (1, &[ms(1500)][..]));
    assert_eq!(*failures.lock().unwrap(), [FailureKind::Abandoned; 2]);
    assert_eq!(desk.take(), [(200, 0)]);
}

#[test]
fn the_drop_of_the_last_handle_tells_of_what_waits() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let (time, desk, builder) = desk();
    let bus = builder
        .only(search)
        .on_failure(move |failure| {
            assert_eq!(failure.kind(), FailureKind::Abandoned);
            told.lock().unwrap().push(failure.message().to_owned());
        })
        .build()
        .unwrap();
    bus.emit(typed(1));
    drop(bus);

    let failures = std::mem::take(&mut *failures.lock().unwrap());
    assert_eq!(failures.len(), 1);
    assert!(failures[0].starts_with("the last handle of the bus was dropped before"));
    time.advance(ms(1000));
    assert_eq!(desk.take(), []);
    assert_eq!(time.next_timer(), None);
}

#[listener(every = "100ms")]
fn tick(desk: &Desk) {
    desk.note(100);
}

#[test]
fn the_end_of_an_installed_bus_delivers_what_waits_and_ends_the_ticks() {
    let (time, desk, builder) = desk();
    let bus = builder.only((search, tick)).build().unwrap();
    let installed = bus.clone().install().unwrap();
    bus.emit(typed(1));
    time.advance(ms(150));
    drop(installed);

    assert_eq!(desk.take(), [(100, 100), (150, 1)]);
    time.advance(ms(1000));
    assert_eq!(desk.take(), []);
}

#[listener(debounce = "200ms")]
fn again(e: &Typed, cx: Context<'_>, desk: &Desk) -> Option<Typed> {
    desk.note(e.letter);
    let first = cx.cause().is_none();
    first.then(|| typed(e.letter + 1))
}

#[test]
fn what_a_delivery_returns_during_a_shutdown_does_not_wait_either() {
    let (time, desk, builder) = desk();
    let bus = builder.only(again).build().unwrap();
    bus.emit(typed(1));

    assert!(bus.shutdown_blocking(ms(1000)).unwrap().is_clean());

    assert_eq!(desk.take(), [(0, 1), (0, 2)]);
    assert_eq!(time.elapsed(), ms(0));
}

#[event]
struct Scrolled;

#[listener("*", debounce = "200ms")]
fn active(e: &AnyEvent<'_>, desk: &Desk) {
    desk.note(u32::from(e.is::<Scrolled>()));
}

#[test]
fn a_pattern_listener_waits_until_all_its_events_are_quiet() {
    let (time, desk, builder) = desk();
    let bus = builder.only(active).build().unwrap();
    bus.emit(typed(1));
    time.advance(ms(150));
    bus.emit(Scrolled);
    time.advance(ms(1000));

    assert_eq!(desk.take(), [(350, 1)]);
}

struct View(u32);

#[listeners]
impl View {
    #[listener(debounce = "200ms", key = |e| e.user)]
    fn draw(&self, e: &Typed, desk: &Desk) {
        desk.note(self.0 + e.letter);
    }
}

#[test]
fn methods_wait_too_and_a_detached_instance_is_given_what_waited() {
    let (time, desk, builder) = desk();
    let bus = builder.only(search).build().unwrap();
    let a = bus.attach(Arc::new(View(10))).unwrap();
    let b = bus.attach(Arc::new(View(20))).unwrap();
    assert_eq!(bus.emit(typed(1)).report().queued(), 3);
    drop(a);
    time.advance(ms(1000));
    let mut log = desk.take();
    log.sort_unstable();

    assert_eq!(log, [(0, 11), (200, 1), (200, 21)]);
    drop(b);
}

#[test]
fn a_runtime_that_ends_first_leaves_no_event_untold() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let time = VirtualRuntime::new();
    let elsewhere = Arc::new(Desk {
        time: VirtualRuntime::new(),
        log: Mutex::default(),
    });
    let bus = Bus::builder()
        .only(search_async)
        .state(elsewhere)
        .runtime(time.clone())
        .on_failure(move |failure| told.lock().unwrap().push(failure.kind()))
        .build()
        .unwrap();
    bus.emit(typed(1));
    time.run_until_stalled();
    drop(time);
    drop(bus);

    assert_eq!(*failures.lock().unwrap(), [FailureKind::Abandoned]);
}

#[test]
fn an_async_listener_of_a_bus_without_a_runtime_is_refused_its_deliveries() {
    let (_, desk, _) = desk();
    let bus = Bus::builder().only(search_async).state(desk);
    let bus = bus.on_failure(|_| ()).build().unwrap();

    let report = bus.emit(typed(1)).report();

    assert_eq!(report.failures()[0].kind(), FailureKind::NoRuntime);
}

#[test]
fn the_times_of_one_bus_can_be_tuned() {
    let (time, desk, builder) = desk();
    let bus = builder
        .only((search, render))
        .tune(search, |policy| {
            policy.debounce(policy.debounce_time().unwrap() * 2)
        })
        .tune(render, |policy| {
            policy.throttle(policy.throttle_period().unwrap() / 2)
        })
        .build()
        .unwrap();
    bus.emit(typed(1));
    time.advance(ms(1));
    bus.emit(typed(2));
    time.advance(ms(1000));

    assert_eq!(desk.take(), [(0, 1), (401, 2), (500, 2)]);
}

#[test]
fn the_catalog_tells_of_the_times() {
    let catalog = tidings::catalog();
    let of = |name| {
        let mut listeners = catalog.listeners().iter();
        listeners.find(|l| l.function() == name).unwrap()
    };

    assert_eq!(
        (of("search").mode(), of("render").mode()),
        (Mode::Debounce, Mode::Throttle)
    );
    let policy = |name| of(name).policy().unwrap();
    assert_eq!(policy("search").debounce_time(), Some(ms(200)));
    assert_eq!(policy("render_async").throttle_period(), Some(ms(1000)));
    let text = catalog.to_string();
    assert!(text.contains("search  main  debounce  ("), "{text}");
    #[cfg(feature = "json")]
    {
        let json: serde_json::Value = serde_json::from_str(&catalog.to_json()).unwrap();
        let listeners = json["listeners"].as_array().unwrap();
        let json_of = |name| listeners.iter().find(|l| l["function"] == name).unwrap();
        assert_eq!(json_of("save")["policy"]["debounce_ms"], 200);
        assert_eq!(json_of("render")["policy"]["throttle_ms"], 1000);
        assert_eq!(json_of("tick")["policy"]["every_ms"], 100);
        assert_eq!(json_of("tick")["mode"], "every");
    }
}

#[test]
fn the_kit_waits_for_what_is_held_and_replaces_the_listener() {
    let bus = TestBus::builder()
        .only((search, render))
        .replace((search, render), |e: &Typed| assert_eq!(e.letter % 2, 1))
        .build();
    for letter in [1, 2, 3] {
        bus.emit(typed(letter));
    }
    let run = bus.settle_blocking();

    run.heard_by(search).once().ok();
    run.heard_by(render).times(2).ok();
    assert_eq!(bus.elapsed(), ms(1000));
}
