//! A queue with one worker keeps the order of the emissions, also of those that wait for room; with `key` that of each key.
#![cfg(feature = "tokio")]

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use tidings::{Bus, event, listener};

const ROUNDS: u32 = 20;
const LINES: u32 = 500;

#[event]
struct Read;

#[event]
struct Asked;

#[event]
struct Line(u32);

#[listener]
fn split(_: &Read) -> Vec<Line> {
    (0..LINES).map(Line).collect()
}

#[listener]
async fn answer(_: &Asked) -> Vec<Line> {
    (0..LINES).map(Line).collect()
}

#[listener(queue = 2)]
fn store(e: &Line, log: &Log) {
    log.0.lock().unwrap().push(e.0);
}

#[event]
struct Paid {
    account: u32,
    number: u32,
}

#[listener(queue = 3, workers = 3, key = |e| e.account)]
fn book(e: &Paid, accounts: &Accounts) {
    accounts.0.lock().unwrap()[e.account as usize].push(e.number);
}

#[derive(Default)]
struct Log(Mutex<Vec<u32>>);

#[derive(Default)]
struct Accounts(Mutex<[Vec<u32>; 4]>);

struct Fixture {
    bus: Bus,
    log: Arc<Log>,
    accounts: Arc<Accounts>,
    failures: Arc<Mutex<usize>>,
}

fn fixture(runtime: Option<tokio::runtime::Handle>) -> Fixture {
    let (log, accounts) = (Arc::new(Log::default()), Arc::new(Accounts::default()));
    let failures = Arc::new(Mutex::new(0));
    let told = Arc::clone(&failures);
    let builder = Bus::builder()
        .state(Arc::clone(&log))
        .state(Arc::clone(&accounts))
        .on_failure(move |_| *told.lock().unwrap() += 1);
    let builder = match runtime {
        Some(handle) => builder.runtime(handle),
        None => builder,
    };
    Fixture {
        bus: builder.build().unwrap(),
        log,
        accounts,
        failures,
    }
}

impl Fixture {
    fn end(&self) {
        let shutdown = self.bus.shutdown_blocking(Duration::from_secs(60)).unwrap();
        assert!(shutdown.is_clean(), "{shutdown}");
    }

    fn all_in_order(&self) {
        self.end();
        assert_eq!(*self.failures.lock().unwrap(), 0);
        assert_eq!(*self.log.0.lock().unwrap(), (0..LINES).collect::<Vec<_>>());
    }
}

#[test]
fn what_an_inline_listener_returned_keeps_its_order() {
    for _ in 0..ROUNDS {
        let fixture = fixture(None);
        block_on(async { fixture.bus.emit(Read).await });
        fixture.all_in_order();
    }
}

#[test]
fn what_an_async_listener_returned_keeps_its_order() {
    for _ in 0..ROUNDS {
        let fixture = fixture(None);
        block_on(async { fixture.bus.emit(Asked).await });
        fixture.all_in_order();
    }
}

#[test]
fn what_a_task_of_the_runtime_returned_keeps_its_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    for _ in 0..ROUNDS {
        let fixture = fixture(Some(runtime.handle().clone()));
        fixture.bus.emit(Asked);
        fixture.all_in_order();
    }
}

#[test]
fn emissions_that_one_task_awaits_together_keep_their_order() {
    for _ in 0..ROUNDS {
        let fixture = fixture(None);
        let emissions = (0..LINES).map(|n| fixture.bus.emit(Line(n)).into_future());
        let reports = block_on(join_all(emissions));
        assert!(reports.iter().all(|report| report.queued() == 1));
        fixture.all_in_order();
    }
}

#[test]
fn a_later_emission_does_not_overtake_one_that_waits() {
    for _ in 0..ROUNDS {
        let fixture = fixture(None);
        // Not polled before all are made, and in the other order then.
        let mut waiting: Vec<_> = (0..LINES)
            .map(|n| fixture.bus.emit(Line(n)).into_future())
            .collect();
        waiting.reverse();
        block_on(join_all(waiting));
        fixture.all_in_order();
    }
}

#[test]
fn each_key_keeps_its_order() {
    for _ in 0..ROUNDS {
        let fixture = fixture(None);
        let paid = |n| Paid {
            account: n % 4,
            number: n,
        };
        block_on(join_all(
            (0..LINES).map(|n| fixture.bus.emit(paid(n)).into_future()),
        ));
        fixture.end();
        assert_eq!(*fixture.failures.lock().unwrap(), 0);
        let accounts = fixture.accounts.0.lock().unwrap();
        for (account, numbers) in (0..).zip(accounts.iter()) {
            let expected = (0..LINES).filter(|n| n % 4 == account);
            assert_eq!(*numbers, expected.collect::<Vec<_>>());
        }
    }
}

#[test]
fn threads_and_tasks_stand_in_one_line_and_who_leaves_it_stops_nobody() {
    for _ in 0..ROUNDS {
        let fixture = fixture(None);
        let emit = |account: u32, n| fixture.bus.emit(Paid { account, number: n });
        thread::scope(|scope| {
            let parks = scope.spawn(|| {
                for n in 0..LINES {
                    assert_eq!(emit(0, n).report().queued(), 1);
                }
            });
            let awaits = scope.spawn(|| {
                block_on(async {
                    for n in 0..LINES {
                        assert_eq!(emit(1, n).await.queued(), 1);
                    }
                });
            });
            let leaves = scope.spawn(|| {
                block_on(async {
                    let mut kept = Vec::new();
                    for n in 0..LINES {
                        let mut emission = emit(2, n).into_future();
                        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut emission).poll(cx)));
                        // Each third one leaves the line, from its middle as well.
                        if first.await.is_pending() {
                            kept.push((n, emission));
                        }
                        if n % 7 == 0 {
                            kept.retain(|(n, _)| n % 3 != 0);
                        }
                    }
                    kept.retain(|(n, _)| n % 3 != 0);
                    for (_, emission) in kept {
                        assert_eq!(emission.await.queued(), 1);
                    }
                });
            });
            for thread in [parks, awaits, leaves] {
                thread.join().unwrap();
            }
        });
        fixture.end();
        let accounts = fixture.accounts.0.lock().unwrap();
        let all = (0..LINES).collect::<Vec<_>>();
        assert_eq!((&accounts[0], &accounts[1]), (&all, &all));
        assert!(accounts[2].is_sorted());
        let lost = (LINES as usize) - accounts[2].len();
        assert_eq!(lost, *fixture.failures.lock().unwrap());
        let kept = accounts[2].iter().filter(|n| *n % 3 != 0);
        assert_eq!(kept.count(), (0..LINES).filter(|n| n % 3 != 0).count());
    }
}
