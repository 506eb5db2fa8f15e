//! The tasks of a virtual runtime: order, wake-ups, panics, the end.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use event_core::Runtime;
use event_runtime::VirtualRuntime;

type Log = Arc<Mutex<Vec<u32>>>;

/// Writes a number down when it runs.
fn note(time: &VirtualRuntime, log: &Log, number: u32) {
    let log = Arc::clone(log);
    time.spawn(Box::pin(async move { log.lock().unwrap().push(number) }));
}

fn noted(log: &Log) -> Vec<u32> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// Gives the others a turn.
async fn give_way() {
    let mut gave = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}

/// Ready once it is open; opened from any thread.
#[derive(Default)]
struct Door(Mutex<(bool, Option<Waker>)>);

impl Door {
    fn open(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn pass(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[test]
fn ready_tasks_run_first_in_first_out() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    for number in 0..3 {
        let (log, again) = (Arc::clone(&log), time.clone());
        time.spawn(Box::pin(async move {
            log.lock().unwrap().push(number);
            note(&again, &log, number + 10);
            give_way().await;
            log.lock().unwrap().push(number + 20);
        }));
    }

    time.run_until_stalled();

    assert_eq!(noted(&log), [0, 1, 2, 10, 20, 11, 21, 12, 22]);
}

#[test]
fn nothing_runs_before_it_is_driven() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    note(&time, &log, 1);
    time.pass(Duration::from_secs(1));

    assert!(noted(&log).is_empty());
    time.run_until_stalled();
    assert_eq!(noted(&log), [1]);
}

#[test]
fn a_seed_gives_one_order_and_other_seeds_give_others() {
    let run = |seed| {
        let time = VirtualRuntime::seeded(seed);
        let log = Log::default();
        (0..10).for_each(|number| note(&time, &log, number));
        time.run_until_stalled();
        noted(&log)
    };

    let orders: Vec<_> = (0..5).map(run).collect();

    assert_eq!(orders, (0..5).map(run).collect::<Vec<_>>());
    for (at, order) in orders.iter().enumerate() {
        assert!(!orders[..at].contains(order), "{order:?} came twice");
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn a_wake_from_another_thread_ends_the_wait() {
    let time = VirtualRuntime::new();
    let [task, main] = [(); 2].map(|()| Arc::new(Door::default()));
    let (inner, outer) = (Arc::clone(&task), Arc::clone(&main));
    time.spawn(Box::pin(async move {
        inner.pass().await;
        outer.open();
    }));
    let opener = thread::spawn(move || task.open());

    time.block_on(main.pass());

    opener.join().unwrap();
}

#[test]
fn a_task_spawned_from_another_thread_runs_at_home() {
    let time = VirtualRuntime::new();
    let door = Arc::new(Door::default());
    let home = thread::current().id();
    let ran_at_home = Arc::new(AtomicBool::new(false));
    let (elsewhere, opened, ran) = (time.clone(), Arc::clone(&door), Arc::clone(&ran_at_home));
    let spawner = thread::spawn(move || {
        elsewhere.spawn(Box::pin(async move {
            ran.store(thread::current().id() == home, Ordering::SeqCst);
            opened.open();
        }));
    });

    time.block_on(door.pass());

    spawner.join().unwrap();
    assert!(ran_at_home.load(Ordering::SeqCst));
}

#[test]
fn a_task_that_panics_takes_no_other_with_it() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    note(&time, &log, 1);
    time.spawn(Box::pin(async { panic!("this one fails") }));
    note(&time, &log, 2);

    time.run_until_stalled();
    note(&time, &log, 3);
    time.run_until_stalled();

    assert_eq!(noted(&log), [1, 2, 3]);
}

#[test]
fn a_future_that_panics_goes_to_its_caller_and_leaves_the_runtime_usable() {
    let time = VirtualRuntime::new();
    let log = Log::default();

    let ended = catch_unwind(AssertUnwindSafe(|| {
        time.block_on(async { panic!("the caller's own") });
    }));

    assert_eq!(message(&*ended.unwrap_err()), "the caller's own");
    note(&time, &log, 1);
    time.run_until_stalled();
    assert_eq!(noted(&log), [1]);
}

/// Tells of its drop.
struct Told(Arc<AtomicBool>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Never ends.
fn endless(told: &Arc<AtomicBool>) -> impl Future<Output = ()> + Send + use<> {
    let told = Told(Arc::clone(told));
    async move {
        let _told = told;
        std::future::pending::<()>().await;
    }
}

#[test]
fn what_is_left_is_dropped_with_the_last_handle() {
    let told = Arc::new(AtomicBool::new(false));
    let time = VirtualRuntime::new();
    let other = time.clone();
    time.spawn(Box::pin(endless(&told)));
    time.run_until_stalled();

    drop(time);
    assert!(!told.load(Ordering::SeqCst));
    drop(other);

    assert!(told.load(Ordering::SeqCst));
}

#[test]
fn a_task_that_keeps_its_runtime_is_dropped_with_the_home_thread() {
    let told = Arc::new(AtomicBool::new(false));
    let inside = Arc::clone(&told);
    let home = thread::spawn(move || {
        let time = VirtualRuntime::new();
        let kept = time.clone();
        let endless = endless(&inside);
        time.spawn(Box::pin(async move {
            endless.await;
            drop(kept);
        }));
        time.run_until_stalled();
        time
    });

    let time = home.join().unwrap();

    assert!(told.load(Ordering::SeqCst));
    told.store(false, Ordering::SeqCst);
    time.spawn(Box::pin(endless(&told)));
    assert!(
        told.load(Ordering::SeqCst),
        "a task that nobody can run is dropped at once"
    );
}

#[test]
fn a_task_that_drops_the_last_handle_ends_with_the_others() {
    let told = Arc::new(AtomicBool::new(false));
    let time = VirtualRuntime::new();
    let slot = Arc::new(Mutex::new(Some(time.clone())));
    let (taken, inner) = (Arc::clone(&slot), endless(&told));
    time.spawn(Box::pin(async move {
        drop(taken.lock().unwrap().take());
        inner.await;
    }));
    time.run_until_stalled();

    assert!(slot.lock().unwrap().is_none());
    drop(time);
    assert!(told.load(Ordering::SeqCst));
}

#[test]
fn driving_it_inside_a_task_is_refused() {
    let time = VirtualRuntime::new();
    let inner = time.clone();

    let said = time.block_on(async move {
        assert!(inner.is_current());
        let said = catch_unwind(AssertUnwindSafe(|| inner.run_until_stalled()));
        message(&*said.unwrap_err()).to_owned()
    });

    assert!(said.contains("inside one of its tasks"), "{said}");
    assert!(!time.is_current());
}

#[test]
fn driving_it_on_another_thread_is_refused() {
    let time = VirtualRuntime::new();
    let elsewhere = time.clone();

    let ended = thread::spawn(move || elsewhere.advance(Duration::from_secs(1))).join();

    let said = message(&*ended.unwrap_err()).to_owned();
    assert!(said.contains("only by the thread that made it"), "{said}");
    assert_eq!(time.elapsed(), Duration::ZERO);
}

#[test]
fn a_task_that_is_always_ready_keeps_no_future_waiting() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    time.spawn(Box::pin(async {
        loop {
            give_way().await;
        }
    }));
    note(&time, &log, 1);

    time.block_on(async {
        for _ in 0..3 {
            give_way().await;
        }
    });

    assert_eq!(noted(&log), [1]);
}

/// A `Drop` that panics.
struct Bad;

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("while dropped");
    }
}

impl Future for Bad {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[test]
fn a_task_whose_drop_panics_takes_no_other_with_it() {
    let time = VirtualRuntime::new();
    let log = Log::default();
    time.spawn(Box::pin(Bad));
    note(&time, &log, 1);
    time.run_until_stalled();
    time.spawn(Box::pin(Bad));

    drop(time);

    assert_eq!(noted(&log), [1]);
}
