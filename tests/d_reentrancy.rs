//! D1: what a listener may do to its own bus. No lock is held while it runs, else these tests never end.

mod support;

use std::sync::{Arc, Mutex};
use std::thread;

use support::Recorder;
use tidings::{Bus, Context, Subscription, emit, event, listener};

type Kept = Mutex<Vec<Subscription>>;

#[event]
struct Noted(&'static str);

#[listener]
fn note(e: &Noted, log: &Recorder) {
    log.note(e.0);
}

#[event]
struct Opened;

#[listener]
fn subscribe(_: &Opened, cx: Context<'_>, kept: &Kept) {
    let bus = cx.bus();
    kept.lock()
        .unwrap()
        .push(bus.on(|_: &Opened| drop(emit(Noted("opened")))));
    kept.lock().unwrap().push(
        bus.on_topic("closed", |_| drop(emit(Noted("closed, by topic"))))
            .unwrap(),
    );
}

#[event]
struct Closed;

#[listener]
fn unsubscribe(_: &Closed, kept: &Kept) {
    kept.lock().unwrap().clear();
}

#[event]
struct Elsewhere;

/// Another thread uses every writer of the bus while this listener runs.
#[listener]
fn elsewhere(_: &Elsewhere, cx: Context<'_>, log: &Recorder) {
    let bus = cx.bus();
    thread::scope(|scope| {
        scope.spawn(|| {
            let subscription = bus.on(|_: &Noted| ());
            let by_topic = bus.on_topic("**", |_| ()).unwrap();
            assert_eq!(bus.emit(Noted("from another thread")).report().ran(), 3);
            drop((subscription, by_topic));
        });
    });
    log.note("elsewhere");
}

struct Fixture {
    bus: Bus,
    log: Arc<Recorder>,
    kept: Arc<Kept>,
}

fn fixture() -> Fixture {
    let (log, kept) = (Arc::new(Recorder::default()), Arc::new(Kept::default()));
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .state(Arc::clone(&kept))
        .build()
        .unwrap();
    Fixture { bus, log, kept }
}

#[test]
fn d1_a_listener_may_subscribe() {
    let Fixture { bus, log, kept } = fixture();

    assert_eq!(bus.emit(Opened).report().ran(), 1);
    assert!(
        log.take().is_empty(),
        "a subscription hears what is emitted after it"
    );

    assert_eq!(bus.emit(Opened).report().ran(), 2);
    assert_eq!(log.take(), ["opened"]);
    assert_eq!(kept.lock().unwrap().len(), 4);
}

#[test]
fn d1_a_listener_may_unsubscribe_others() {
    let Fixture { bus, log, .. } = fixture();
    bus.emit(Opened);

    bus.emit(Closed);
    assert_eq!(
        log.take(),
        ["closed, by topic"],
        "the running emission keeps the listeners that it began with"
    );

    bus.emit(Closed);
    assert!(log.take().is_empty());
}

#[test]
fn d1_a_subscription_may_take_itself_out() {
    let Fixture { bus, log, .. } = fixture();
    let own = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&own);
    let subscription = bus.on(move |_: &Noted| drop(slot.lock().unwrap().take()));
    *own.lock().unwrap() = Some(subscription);

    assert_eq!(bus.emit(Noted("one")).report().ran(), 2);
    assert_eq!(bus.emit(Noted("two")).report().ran(), 1);
    assert_eq!(log.take(), ["one", "two"]);
}

#[test]
fn d1_a_once_listener_may_emit_its_own_event_and_is_gone_by_then() {
    let Fixture { bus, log, .. } = fixture();
    let _once = bus.once(|_: &Noted| assert_eq!(emit(Noted("inside")).report().ran(), 1));

    let report = bus.emit(Noted("outside")).report();

    assert_eq!((report.ran(), report.failed()), (2, 0));
    assert_eq!(log.take(), ["outside", "inside"]);
}

#[test]
fn d1_another_thread_may_subscribe_unsubscribe_and_emit_while_a_listener_runs() {
    let Fixture { bus, log, .. } = fixture();

    let report = bus.emit(Elsewhere).report();

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(log.take(), ["from another thread", "elsewhere"]);
}

#[test]
fn d1_a_closure_that_emits_when_it_is_dropped_may_do_so_while_it_is_taken_out() {
    struct OnDrop(tidings::WeakBus);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            if let Some(bus) = self.0.upgrade() {
                bus.emit(Noted("taken out"));
                drop(bus.on(|_: &Opened| ()));
            }
        }
    }
    let Fixture { bus, log, .. } = fixture();
    let guard = OnDrop(bus.downgrade());
    let subscription = bus.on(move |_: &Opened| {
        let _held = &guard;
    });

    drop(subscription);

    assert_eq!(log.take(), ["taken out"]);
}
