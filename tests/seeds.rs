//! What holds in every order in which tasks can run: seeds draw many of them.
#![cfg(feature = "test")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidings::test::{TestBus, TestBusBuilder};
use tidings::{Context, event, listener};

const SEEDS: u64 = 300;

#[event]
struct Sold {
    customer: u32,
    number: u32,
}

#[event]
struct Noted;

/// What was delivered, by customer, in the order of delivery.
#[derive(Default)]
struct Ledger(Mutex<HashMap<u32, Vec<u32>>>);

impl Ledger {
    fn note(&self, sold: &Sold) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.entry(sold.customer).or_default().push(sold.number);
    }
}

/// How many run at once, and the most that did.
#[derive(Default)]
struct Gauge {
    now: AtomicU32,
    most: AtomicU32,
}

impl Gauge {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets others have their turn.
async fn pause() {
    let mut before = true;
    std::future::poll_fn(|cx| {
        if std::mem::take(&mut before) {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
}

#[listener(queue = 64, workers = 3, key = |e| e.customer, retry = 2, backoff = "1s..1s")]
async fn keyed(e: &Sold, ledger: &Ledger) -> Result<Noted, String> {
    pause().await;
    ledger.note(e);
    Ok(Noted)
}

#[listener(overlap = "serial")]
async fn serial(_: &Sold, gauge: &Gauge) {
    gauge.enter();
    pause().await;
    pause().await;
    gauge.leave();
}

#[listener(limit = 4)]
async fn limited(_: &Sold, gauge: &Gauge) {
    gauge.enter();
    pause().await;
    gauge.leave();
}

#[listener(queue = 2, overflow = "block")]
fn narrow(_: &Sold, cx: Context<'_>) {
    cx.emit(Noted);
}

#[listener(queue = 256)]
fn noted(_: &Noted) {}

fn bus(seed: u64, choose: impl Fn(TestBusBuilder) -> TestBusBuilder) -> TestBus {
    let builder = TestBus::builder()
        .seed(seed)
        .state(Ledger::default())
        .state(Gauge::default());
    choose(builder).build()
}

fn sell(bus: &TestBus) {
    for number in 0..6 {
        for customer in 0..4 {
            bus.emit(Sold { customer, number });
        }
    }
}

#[test]
fn deliveries_of_one_key_keep_their_order_also_through_retries() {
    for seed in 0..SEEDS {
        let ledger = std::sync::Arc::new(Ledger::default());
        let builder = TestBus::builder().seed(seed).state(ledger.clone());
        let bus = builder.only((keyed, noted)).build();
        bus.fail(keyed).times(usize::try_from(seed % 3).unwrap());
        sell(&bus);
        let run = bus.settle_blocking();
        run.heard_by(keyed).times(24).ok();
        run.heard_by(noted).times(24).ok();
        let book = ledger.0.lock().unwrap();
        for (customer, numbers) in &*book {
            assert_eq!(
                **numbers,
                [0, 1, 2, 3, 4, 5],
                "customer {customer}, seed {seed}"
            );
        }
    }
}

#[test]
fn one_at_a_time_means_one_at_a_time() {
    for seed in 0..SEEDS {
        let gauge = std::sync::Arc::new(Gauge::default());
        let builder = TestBus::builder().seed(seed).state(gauge.clone());
        let bus = builder.only(serial).build();
        sell(&bus);
        bus.settle_blocking().heard_by(serial).times(24).ok();
        assert_eq!(gauge.most.load(Ordering::Relaxed), 1, "seed {seed}");
    }
}

#[test]
fn no_more_than_the_limit_run_and_awaited_emissions_wait() {
    let mut most = 0;
    for seed in 0..SEEDS {
        let gauge = std::sync::Arc::new(Gauge::default());
        let builder = TestBus::builder().seed(seed).state(gauge.clone());
        let bus = builder.only(limited).build();
        let emissions = (0..12).map(|number| {
            bus.emit(Sold {
                customer: 0,
                number,
            })
            .into_future()
        });
        let reports = bus.block_on(futures::future::join_all(emissions));
        assert!(
            reports.iter().all(|report| report.ran() == 1),
            "seed {seed}"
        );
        most = most.max(gauge.most.load(Ordering::Relaxed));
    }
    assert_eq!(most, 4);
}

#[test]
fn a_full_queue_makes_the_emitter_wait_and_loses_nothing() {
    for seed in 0..SEEDS {
        let bus = bus(seed, |builder| builder.only((narrow, noted)));
        sell(&bus);
        let run = bus.settle_blocking();
        run.heard_by(narrow).times(24).ok();
        run.heard_by(noted).times(24).ok();
    }
}

#[test]
fn a_shutdown_at_any_point_accounts_for_every_delivery() {
    for seed in 0..SEEDS {
        let bus = bus(seed, |builder| builder.only((keyed, narrow, noted)));
        bus.fail(keyed).times(5);
        sell(&bus);
        // Some way into it, never the same.
        bus.advance(Duration::from_millis(seed % 4 * 500));
        let shutdown = bus.block_on(bus.shutdown(Duration::from_millis(seed % 5 * 400)));
        let left: usize = shutdown
            .expect("it is outside of every delivery")
            .left()
            .iter()
            .map(|left| left.waiting() + left.in_backoff() + left.in_flight().len())
            .sum();
        let ended: u64 = bus
            .queues()
            .iter()
            .map(|(_, q)| q.delivered + q.failed + q.skipped + q.dropped + q.rejected)
            .sum();
        let run = bus.run();
        let emitted = 24 * 2 + run.emitted::<Noted>().count() as u64;
        assert_eq!(ended + left as u64, emitted, "seed {seed}: {run}");
    }
}
