//! Queues under load: whatever they do with what they take, every emission is counted once, and no more is kept than fits.
#![cfg(feature = "runtime")]

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use tidings::{Bus, FailureKind, Left, QueueStats, Report, event, listener};

const EMITTERS: u64 = 4;
const LISTENERS: u64 = 8;
/// All deliveries together: ten million, and in a build that checks itself a fiftieth of it.
const DELIVERIES: u64 = 10_000_000 / if cfg!(debug_assertions) { 50 } else { 1 };
/// Of each emitter.
const EMISSIONS: u64 = DELIVERIES / LISTENERS / EMITTERS;
/// Those that come afterwards: the first one never ends, a queue of 32 keeps the next ones, and lets 8 of them go.
const LAST: u64 = 1 + 32 + 8;
const ALL: u64 = EMISSIONS * EMITTERS + LAST;

const CAPACITIES: i64 = 64 + 16 + 1024 + 8 + 32 + 64 + 256 + 16;
const WORKERS: i64 = 1 + 4 + 1 + 2 + 1 + 1 + 4 + 2;

/// The payloads that live now, and the most that ever did.
#[derive(Default)]
struct Payloads {
    now: AtomicI64,
    most: AtomicI64,
}

/// A payload counts itself.
struct Payload(Arc<Payloads>);

impl Payload {
    fn new(payloads: &Arc<Payloads>) -> Self {
        let now = payloads.now.fetch_add(1, Ordering::SeqCst) + 1;
        payloads.most.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(payloads))
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[event]
struct Placed {
    number: u64,
    never_ends: bool,
    #[expect(dead_code, reason = "it is there to live and to die")]
    payload: Payload,
}

/// How often each listener ran.
#[derive(Default)]
struct Ran([AtomicU64; 8]);

impl Ran {
    fn add(&self, listener: usize) {
        self.0[listener].fetch_add(1, Ordering::SeqCst);
    }
}

struct Gate {
    reached: AtomicBool,
    opened: Mutex<Receiver<()>>,
}

/// Fails now and then.
fn judge(e: &Placed, every: u64) -> Result<(), String> {
    if e.number % every == 0 {
        return Err("on purpose".into());
    }
    Ok(())
}

#[listener(queue = 64, overflow = "block")]
fn blocks(_: &Placed, ran: &Ran) {
    ran.add(0);
}

#[listener(queue = 16, workers = 4, overflow = "block", key = |e| e.number % 7, when = |e| e.number % 3 > 0)]
fn blocks_by_key(e: &Placed, ran: &Ran) -> Result<(), String> {
    ran.add(1);
    judge(e, 1000)
}

#[listener(queue = 1024, overflow = "reject")]
fn rejects(e: &Placed, ran: &Ran) -> Result<(), String> {
    ran.add(2);
    judge(e, 1001)
}

#[listener(queue = 8, workers = 2, overflow = "reject", when = |e| e.number % 5 > 0)]
fn rejects_panicking(e: &Placed, ran: &Ran) {
    ran.add(3);
    if e.number % 1009 == 0 {
        // Without the message that a `panic!` prints.
        resume_unwind(Box::new("on purpose"));
    }
}

#[listener(queue = 32, overflow = "drop_oldest")]
fn drops_oldest(e: &Placed, ran: &Ran, gate: &Gate) {
    ran.add(4);
    if e.never_ends {
        gate.reached.store(true, Ordering::SeqCst);
        let opened = gate.opened.lock().expect("nobody panics with the lock");
        opened.recv().expect_err("nobody sends");
    }
}

#[listener(queue = 64, overflow = "drop_oldest", when = |e| e.number % 2 > 0)]
fn drops_oldest_failing(e: &Placed, ran: &Ran) -> Result<(), String> {
    ran.add(5);
    judge(e, 999)
}

#[listener(queue = 256, workers = 4, overflow = "drop_newest", key = |e| e.number % 4)]
fn drops_newest_by_key(e: &Placed, ran: &Ran) -> Result<(), String> {
    ran.add(6);
    judge(e, 1003)
}

#[listener(queue = 16, workers = 2, overflow = "drop_newest", when = |e| e.number % 11 > 0)]
fn drops_newest(_: &Placed, ran: &Ran) {
    ran.add(7);
}

/// A listener, where it counts, what its condition refuses, and what its queue does when it is full.
const RULES: [(&str, usize, Option<u64>, Full); 8] = [
    ("blocks", 0, None, Full::Blocks),
    ("blocks_by_key", 1, Some(3), Full::Blocks),
    ("rejects", 2, None, Full::Rejects),
    ("rejects_panicking", 3, Some(5), Full::Rejects),
    ("drops_oldest", 4, None, Full::DropsOldest),
    ("drops_oldest_failing", 5, Some(2), Full::DropsOldest),
    ("drops_newest_by_key", 6, None, Full::DropsNewest),
    ("drops_newest", 7, Some(11), Full::DropsNewest),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Full {
    Blocks,
    Rejects,
    DropsOldest,
    DropsNewest,
}

/// What all reports, or all queues, say together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sums {
    queued: u64,
    skipped: u64,
    failed: u64,
}

impl Sums {
    fn report(&mut self, report: &Report) {
        assert_eq!(report.ran(), 0, "all listeners are behind queues");
        self.queued += report.queued() as u64;
        self.skipped += report.skipped() as u64;
        self.failed += report.failed() as u64;
    }

    fn add(&mut self, other: Sums) {
        self.queued += other.queued;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }
}

/// The failures that the hook was told.
#[derive(Default)]
struct Told {
    by_listener: AtomicU64,
    by_queue: AtomicU64,
    abandoned: AtomicU64,
    other: AtomicU64,
}

impl Told {
    fn hear(&self, kind: FailureKind) {
        let count = match kind {
            FailureKind::Error | FailureKind::Panic => &self.by_listener,
            FailureKind::QueueFull => &self.by_queue,
            FailureKind::Abandoned => &self.abandoned,
            _ => &self.other,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }

    fn counts(&self) -> [u64; 4] {
        [
            &self.by_listener,
            &self.by_queue,
            &self.abandoned,
            &self.other,
        ]
        .map(|count| count.load(Ordering::SeqCst))
    }
}

struct Load {
    bus: Bus,
    ran: Arc<Ran>,
    gate: Arc<Gate>,
    payloads: Arc<Payloads>,
    told: Arc<Told>,
    /// Opens the gate when it is dropped.
    open: Sender<()>,
}

impl Load {
    fn new() -> Self {
        let (open, opened) = channel();
        let gate = Arc::new(Gate {
            reached: AtomicBool::new(false),
            opened: Mutex::new(opened),
        });
        let (ran, told) = (Arc::new(Ran::default()), Arc::new(Told::default()));
        let hook = Arc::clone(&told);
        let builder = Bus::builder()
            .state(Arc::clone(&ran))
            .state(Arc::clone(&gate));
        Self {
            bus: builder
                .on_failure(move |failure| hook.hear(failure.kind()))
                .build()
                .unwrap(),
            ran,
            gate,
            payloads: Arc::default(),
            told,
            open,
        }
    }

    fn emit(&self, number: u64, never_ends: bool) -> Report {
        let payload = Payload::new(&self.payloads);
        let event = Placed {
            number,
            never_ends,
            payload,
        };
        self.bus.emit(event).report()
    }

    /// Emits from all threads at once.
    fn emit_from_threads(&self) -> Sums {
        let start = Barrier::new(4);
        let emit = |thread| {
            start.wait();
            let mut sums = Sums::default();
            for emission in 0..EMISSIONS {
                sums.report(&self.emit(emission * EMITTERS + thread, false));
            }
            sums
        };
        let mut sums = Sums::default();
        thread::scope(|scope| {
            let emit = &emit;
            let threads: Vec<_> = (0..EMITTERS)
                .map(|thread| scope.spawn(move || emit(thread)))
                .collect();
            for thread in threads {
                sums.add(thread.join().unwrap());
            }
        });
        sums
    }

    /// Emits those of which the first does not end in one listener, and more wait there behind it.
    fn emit_last(&self) -> Sums {
        let mut sums = Sums::default();
        self.until_idle_but(None);
        for number in ALL - LAST..ALL {
            sums.report(&self.emit(number, number == ALL - LAST));
            while !self.gate.reached.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
        self.until_idle_but(Some("drops_oldest"));
        sums
    }

    fn until_idle_but(&self, stuck: Option<&str>) {
        let busy = |now: &QueueStats| now.depth + now.in_flight > 0;
        let mut queues = self.bus.queues();
        while queues
            .iter()
            .any(|(listener, now)| Some(listener.function()) != stuck && busy(now))
        {
            thread::yield_now();
            queues = self.bus.queues();
        }
    }
}

fn left(left: Option<&Left>) -> u64 {
    left.map_or(0, |left| {
        (left.waiting() + left.in_backoff() + left.in_flight().len()) as u64
    })
}

#[test]
fn every_delivery_of_a_queue_is_counted_once_and_no_more_is_kept_than_fits() {
    if cfg!(debug_assertions) {
        println!("a debug build: {DELIVERIES} deliveries instead of 10000000");
    }
    let load = Load::new();
    let mut reported = load.emit_from_threads();
    reported.add(load.emit_last());

    let shutdown = load.bus.shutdown_blocking(Duration::ZERO).unwrap();
    let queues = load.bus.queues();
    let (mut counted, mut failed, mut all_left) = (Sums::default(), 0, 0);
    for (function, index, refused, full) in RULES {
        let of = queues
            .iter()
            .find(|(listener, _)| listener.function() == function);
        let now = of.expect("the bus has its queue").1;
        let mut all = shutdown.left().iter();
        let left = left(all.find(|left| left.listener().function() == function));
        let unwanted = refused.map_or(0, |every| ALL.div_ceil(every));
        println!("{function}: {unwanted} not wanted, {left} left, {now:?}");

        let sum = now.delivered + now.skipped + now.dropped + now.rejected + now.failed;
        assert_eq!(sum + unwanted + left, ALL, "{function}: each emission once");
        let (stuck, kept) = if function == "drops_oldest" {
            (1, 33)
        } else {
            (0, 0)
        };
        assert_eq!(left, kept, "{function}");
        assert_eq!(
            load.ran.0[index].load(Ordering::SeqCst),
            now.delivered + now.failed + stuck,
            "{function}: as often as it ran"
        );
        let drops = matches!(full, Full::DropsOldest | Full::DropsNewest);
        assert!(now.dropped == 0 || drops, "{function}");
        assert!(now.rejected == 0 || full == Full::Rejects, "{function}");

        counted.queued += now.delivered + now.failed + left;
        counted.skipped += unwanted;
        counted.failed += now.rejected;
        match full {
            // It had been accepted.
            Full::DropsOldest => counted.queued += now.dropped,
            Full::DropsNewest => counted.skipped += now.dropped,
            Full::Blocks | Full::Rejects => {}
        }
        failed += now.failed;
        all_left += left;
    }

    assert_eq!(reported, counted, "the reports say what the queues say");
    assert_eq!(load.told.counts(), [failed, counted.failed, all_left, 0]);
    let most = load.payloads.most.load(Ordering::SeqCst);
    // An emitter has its own event, and for a moment the one that it displaced.
    let fits = CAPACITIES + WORKERS + 2 * 4;
    println!("{most} events at most, {fits} fit");
    assert!(most <= fits, "{most} events, and only {fits} fit");

    drop(load.open);
    while load.payloads.now.load(Ordering::SeqCst) > 0 {
        thread::yield_now();
    }
}
