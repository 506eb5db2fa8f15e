//! Queues that come and go with an instance leave nothing behind in their bus. Alone in its program: what is allocated is counted.
#![cfg(feature = "runtime")]

use std::sync::Arc;

use allocation_counter::measure;
use tidings::{Bus, event, listeners};

#[event]
struct Placed;

struct Shelf(u8);

#[listeners]
impl Shelf {
    #[listener(queue = 4)]
    fn book(&self, _: &Placed) {
        assert_eq!(self.0, 7);
    }
}

#[test]
fn l6_a_queue_that_is_detached_leaves_nothing_behind() {
    let bus = Bus::builder().build().unwrap();
    let come_and_go = || drop(bus.attach(Arc::new(Shelf(7))).unwrap());
    (0..100).for_each(|_| come_and_go());

    let info = measure(|| (0..10_000).for_each(|_| come_and_go()));

    // What the lists have room for, whatever came and went.
    assert!(
        info.bytes_current.abs() < 10_000,
        "{} bytes",
        info.bytes_current
    );
    assert!(info.count_total > 10_000, "the allocations were counted");
}
