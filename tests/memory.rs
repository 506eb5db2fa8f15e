//! The inline path allocates nothing, a successful report neither (R2), and subscriptions leave nothing behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use allocation_counter::{AllocationInfo, measure};
use tidings::{AnyEvent, Bus, Context, Report, emit, event, listener, listeners};

#[event]
struct Nobody;

#[event]
struct Plain(u64);

#[listener]
fn plain(e: &Plain) {
    std::hint::black_box(e.0);
}

#[event("stated.placed")]
struct Stated(u64);

#[listener]
fn sum(e: &Stated, total: &AtomicU64) {
    total.fetch_add(e.0, Ordering::Relaxed);
}

#[listener]
fn optional(e: &Stated, total: Option<&AtomicU64>, missing: Option<&String>) {
    assert!(total.is_some() && missing.is_none());
    std::hint::black_box(e.0);
}

#[listener(when = |e| e.0 > 1_000)]
fn rare(e: &Stated, total: &AtomicU64) {
    total.fetch_add(e.0, Ordering::Relaxed);
}

#[listener]
fn with_context(e: &Stated, cx: Context<'_>) -> Result<(), std::fmt::Error> {
    assert_eq!(cx.depth(), 1);
    assert_eq!(cx.listener().function(), "with_context");
    cx.emit(Plain(e.0));
    emit(Plain(e.0));
    e.0.checked_add(1).map(drop).ok_or(std::fmt::Error)
}

#[listener("stated.*")]
fn any(e: &AnyEvent<'_>) {
    assert!(e.is::<Stated>());
}

fn add(total: &AtomicU64, more: u64) {
    total.fetch_add(more, Ordering::Relaxed);
}

#[event]
struct Ticked;

#[derive(Default)]
struct Clock(AtomicU64);

#[listeners]
impl Clock {
    #[listener]
    fn tick(&self, _: &Ticked) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn bus() -> Bus {
    Bus::builder().state(AtomicU64::new(0)).build().unwrap()
}

/// What a hundred emissions allocate after the first, which may set up the thread.
fn allocations(mut emission: impl FnMut()) -> AllocationInfo {
    emission();
    measure(|| (0..100).for_each(|_| emission()))
}

/// What stays behind after so many times, over what the first hundred left.
fn left_behind(times: u32, mut cycle: impl FnMut()) -> AllocationInfo {
    (0..100).for_each(|_| cycle());
    measure(|| (0..times).for_each(|_| cycle()))
}

#[test]
fn d2_an_event_that_nobody_hears_allocates_nothing() {
    let bus = bus();

    assert_eq!(allocations(|| drop(bus.emit(Nobody))).count_total, 0);
}

#[test]
fn d1_a_plain_listener_allocates_nothing() {
    let bus = bus();

    assert_eq!(allocations(|| drop(bus.emit(Plain(1)))).count_total, 0);
}

#[test]
fn d1_state_conditions_context_patterns_and_nested_emissions_allocate_nothing() {
    let bus = bus();

    assert_eq!(allocations(|| drop(bus.emit(Stated(1)))).count_total, 0);
    assert_eq!(allocations(|| drop(bus.emit(Stated(2_000)))).count_total, 0);
}

#[test]
fn r2_the_report_of_a_success_allocates_nothing() {
    let bus = bus();
    let counted = |report: &Report| (report.ran(), report.skipped(), report.failed());

    let info = allocations(|| {
        let report = bus.emit(Stated(1)).report();
        assert_eq!(counted(&report), (4, 1, 0));
        assert_eq!(counted(&report.result().unwrap()), (4, 1, 0));
    });

    assert_eq!(info.count_total, 0);
}

#[test]
fn d1_the_free_emit_on_an_installed_bus_allocates_nothing() {
    let _installed = bus().install().unwrap();

    assert_eq!(allocations(|| drop(emit(Stated(1)))).count_total, 0);
}

#[test]
fn o3_subscriptions_are_called_without_allocating() {
    let bus = bus();
    let total = Arc::new(AtomicU64::new(0));
    let sum = Arc::clone(&total);
    let _subscription = bus.on(move |e: &Plain| add(&sum, e.0));

    assert_eq!(allocations(|| drop(bus.emit(Plain(1)))).count_total, 0);
    assert_eq!(total.load(Ordering::Relaxed), 101);
}

#[test]
fn o3_a_million_subscriptions_leave_nothing_behind() {
    let bus = bus();
    let total = Arc::new(AtomicU64::new(0));

    let info = left_behind(1_000_000, || {
        let sum = Arc::clone(&total);
        drop(bus.on(move |e: &Plain| add(&sum, e.0)));
    });

    assert_eq!((info.count_current, info.bytes_current), (0, 0));
    assert!(info.count_total > 1_000_000, "the allocations were counted");
    assert_eq!(Arc::strong_count(&total), 1);
}

#[test]
fn o3_once_listeners_that_ran_leave_nothing_behind() {
    let bus = bus();

    let info = left_behind(50_000, || {
        let once = bus.once(|e: &Plain| plain(e));
        assert_eq!(bus.emit(Plain(1)).report().ran(), 2);
        drop(once);
    });

    assert_eq!((info.count_current, info.bytes_current), (0, 0));
}

#[test]
fn o3_pattern_subscriptions_and_attached_methods_leave_nothing_behind() {
    let bus = bus();
    let clock = Arc::new(Clock::default());

    let info = left_behind(20_000, || {
        drop(bus.on_topic("**", |_| ()).unwrap());
        let attached = bus.attach(Arc::clone(&clock)).unwrap();
        bus.emit(Ticked);
        drop(attached);
    });

    assert_eq!((info.count_current, info.bytes_current), (0, 0));
    assert_eq!(clock.0.load(Ordering::Relaxed), 20_100);
    assert_eq!(Arc::strong_count(&clock), 1);
}
