//! Prints the nanoseconds that one event takes through a queue and through a channel, from the emission to the end of the last delivery.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tidings::{BuildError, Bus, event, listener};
use tidings_benches::harness::{Contestant, Samples};
use tidings_benches::work;

const CAPACITY: usize = 1024;

/// Many times what fits into the queue, so that its fill counts and not the first wake-up.
const SAMPLE: Duration = Duration::from_millis(5);

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).ok_or("usage: queued ROUNDS")?;
    let mut contestants = [queue()?, channel()];

    let samples = Samples::take_long(&mut contestants, rounds.parse()?, SAMPLE);

    Ok(samples.print(&[("tidings queue/1", "crossbeam channel/1")])?)
}

#[event("queued.booked")]
struct Booked {
    amount: u64,
}

#[listener(queue = CAPACITY, workers = 1, overflow = "block")]
fn book(event: &Booked) {
    work::add(event.amount, 0);
}

/// Emits to a listener behind a queue with one worker thread.
fn queue() -> Result<Contestant, BuildError> {
    let bus = Bus::builder().only(book).build()?;
    Ok(Contestant::in_runs("tidings queue/1", 1, move |calls| {
        delivered(calls, |amount| drop(bus.emit(Booked { amount })));
    }))
}

/// Sends to one thread that calls the listener's function.
fn channel() -> Contestant {
    let (sender, receiver) = crossbeam_channel::bounded::<Arc<Booked>>(CAPACITY);
    thread::spawn(move || receiver.iter().for_each(|event| book(&event)));
    Contestant::in_runs("crossbeam channel/1", 1, move |calls| {
        delivered(calls, |amount| {
            let sent = sender.send(Arc::new(Booked { amount }));
            sent.expect("the thread receives for as long as there is a sender");
        });
    })
}

/// Sends so many and waits until the last has been booked.
fn delivered(calls: u64, mut send: impl FnMut(u64)) {
    let end = work::totals()[0] + calls;
    for _ in 0..calls {
        send(black_box(1));
    }
    while work::totals()[0] < end {
        thread::yield_now();
    }
}
