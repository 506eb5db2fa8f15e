//! Buses come and go without leaving anything behind. Alone in its program: all buses of a process are listed in one place.

use allocation_counter::measure;
use tidings::{Bus, Subscription, event, listener};

#[event]
struct Placed(u64);

#[listener]
fn book(e: &Placed, total: &u64) {
    assert_eq!(e.0, *total);
}

fn live_and_die() {
    let bus = Bus::builder().state(7_u64).build().unwrap();
    Subscription::forever(bus.on(|e: &Placed| assert_eq!(e.0, 7)));
    assert_eq!(bus.emit(Placed(7)).report().ran(), 2);
}

#[test]
fn s1_a_bus_that_is_dropped_leaves_nothing_behind() {
    (0..100).for_each(|_| live_and_die());

    let info = measure(|| (0..20_000).for_each(|_| live_and_die()));

    assert_eq!((info.count_current, info.bytes_current), (0, 0));
    assert!(info.count_total > 20_000, "the allocations were counted");
}
