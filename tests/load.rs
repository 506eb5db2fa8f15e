//! D1, O3 under load: ten million emissions from eight threads, while two more subscribe and unsubscribe.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use tidings::{Bus, event, listener};

const EMITTERS: usize = 8;
const SUBSCRIBERS: usize = 2;
const THREADS: usize = EMITTERS + SUBSCRIBERS;
const EMISSIONS: u64 = 10_000_000 / EMITTERS as u64;
const CYCLES: u64 = 5_000;

#[event]
struct Tick {
    thread: usize,
}

/// What each listener counted, apart for each emitting thread.
struct Counts(Box<[[AtomicU64; 20]; THREADS]>);

impl Counts {
    fn add(&self, thread: usize, listener: usize) {
        self.0[thread][listener].fetch_add(1, Ordering::Relaxed);
    }
}

macro_rules! counting {
    ($($name:ident $number:literal)*) => {$(
        #[listener]
        fn $name(e: &Tick, counts: &Counts) {
            counts.add(e.thread, $number);
        }
    )*};
}

counting! {
    c00 0 c01 1 c02 2 c03 3 c04 4 c05 5 c06 6 c07 7 c08 8 c09 9
    c10 10 c11 11 c12 12 c13 13 c14 14 c15 15 c16 16 c17 17 c18 18 c19 19
}

fn emit_all(bus: &Bus, thread: usize) {
    for _ in 0..EMISSIONS {
        let report = bus.emit(Tick { thread }).report();
        assert!(report.ran() >= 20);
    }
}

/// Hears exactly what this thread emits while it is subscribed.
fn subscribe_and_leave(bus: &Bus, thread: usize) {
    let heard = Arc::new(AtomicU64::new(0));
    for cycle in 0..CYCLES {
        let count = Arc::clone(&heard);
        let subscription = bus.on(move |e: &Tick| {
            if e.thread == thread {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        bus.emit(Tick { thread });
        bus.emit(Tick { thread });
        drop(subscription);
        bus.emit(Tick { thread });
        assert_eq!(heard.load(Ordering::Relaxed), 2 * (cycle + 1));
        thread::yield_now();
    }
}

#[test]
fn o3_every_count_is_exact_while_others_subscribe_and_unsubscribe() {
    let counts = Arc::new(Counts(Box::new(std::array::from_fn(|_| {
        std::array::from_fn(|_| AtomicU64::new(0))
    }))));
    let bus = Bus::builder().state(Arc::clone(&counts)).build().unwrap();
    let start = Barrier::new(THREADS);

    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (bus, start) = (&bus, &start);
            scope.spawn(move || {
                start.wait();
                if thread < EMITTERS {
                    emit_all(bus, thread);
                } else {
                    subscribe_and_leave(bus, thread);
                }
            });
        }
    });

    for (thread, listeners) in counts.0.iter().enumerate() {
        let expected = if thread < EMITTERS {
            EMISSIONS
        } else {
            3 * CYCLES
        };
        assert!(
            listeners
                .iter()
                .all(|count| count.load(Ordering::Relaxed) == expected),
            "thread {thread}"
        );
    }
    assert_eq!(
        bus.emit(Tick { thread: 0 }).report().ran(),
        20,
        "no subscription is left"
    );
}
