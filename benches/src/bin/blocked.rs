//! Prints after how many nanoseconds 99 of 100 queued deliveries have begun, on a bus of which one listener never ends, and on one without it.

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use tidings::{Bus, event, listener};

const LISTENERS: usize = 4;
/// Emissions until all threads run and the queue of the blocked one is full.
const WARM: usize = 200;

#[event]
struct Ticked {
    at: Instant,
}

/// The nanoseconds of every delivery.
struct Latencies {
    ended: AtomicUsize,
    nanoseconds: Box<[AtomicU64]>,
}

impl Latencies {
    fn new(deliveries: usize) -> Arc<Self> {
        Arc::new(Self {
            ended: AtomicUsize::new(0),
            nanoseconds: (0..deliveries).map(|_| AtomicU64::new(0)).collect(),
        })
    }

    fn add(&self, since: Instant) {
        let nanoseconds = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // Nobody emits before all deliveries have ended, so the places are enough.
        let place = self.ended.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds[place].store(nanoseconds, Ordering::Release);
    }

    fn has_all(&self, deliveries: usize) -> bool {
        self.nanoseconds[..deliveries]
            .iter()
            .rev()
            .take(LISTENERS)
            .all(|one| one.load(Ordering::Acquire) > 0)
    }

    fn p99(&self) -> u64 {
        let measured = self.nanoseconds[WARM * LISTENERS..].iter();
        let mut measured: Vec<_> = measured.map(|one| one.load(Ordering::Acquire)).collect();
        measured.sort_unstable();
        measured[measured.len() * 99 / 100]
    }
}

macro_rules! ticking {
    ($($name:ident)*) => {$(
        #[listener(queue = 64)]
        fn $name(event: &Ticked, latencies: &Latencies) {
            latencies.add(event.at);
        }
    )*};
}

ticking! { first second third fourth }

type Gate = Mutex<Receiver<()>>;

#[listener(queue = 64, overflow = "drop_newest")]
fn blocked(_: &Ticked, gate: &Gate) {
    let gate = gate.lock().expect("nobody panics with the lock");
    gate.recv()
        .expect_err("nobody sends, and the end of the program drops the sender");
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).ok_or("usage: blocked ROUNDS")?;
    let rounds = WARM + rounds.parse::<usize>()?;
    let deliveries = rounds * LISTENERS;
    let (beside, alone) = (Latencies::new(deliveries), Latencies::new(deliveries));
    let (_never, gate): (Sender<()>, _) = channel();
    let others = (first, second, third, fourth);
    let builder = Bus::builder().only((others, blocked));
    let with = builder
        .state(Arc::clone(&beside))
        .state(Gate::new(gate))
        .build()?;
    let builder = Bus::builder().only(others);
    let without = builder.state(Arc::clone(&alone)).build()?;

    for round in 1..=rounds {
        for (bus, latencies) in [(&with, &beside), (&without, &alone)] {
            let at = Instant::now();
            bus.emit(Ticked { at });
            while !latencies.has_all(round * LISTENERS) {
                thread::yield_now();
            }
        }
    }

    let mut queues = with.queues().into_iter();
    let (_, stuck) = queues
        .find(|(listener, _)| listener.function() == "blocked")
        .ok_or("the bus has a queue of that name")?;
    assert_eq!((stuck.in_flight, stuck.depth), (1, 64), "it blocks");
    let [beside, alone] = [beside, alone].map(|latencies| latencies.p99());
    println!("ns tidings p99 beside a blocked listener\t{beside}");
    println!("ns tidings p99\t{alone}");
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds of a delivery are far below 2^52"
    )]
    let ratio = beside as f64 / alone as f64;
    println!("ratio tidings p99 beside a blocked listener tidings p99\t{ratio}");
    Ok(())
}
