//! The event loop of `tidings`.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use tidings::EventLoop;
use tidings::event_loop::{Handle, LoopError};
use tidings_benches::timed::{Took, Workload};
use tidings_benches::work;

/// Live timers beside those that are taken back and set again.
pub(crate) const LIVE: u64 = 100_000;

/// Tasks that yield to each other.
pub(crate) const TASKS: u64 = 1000;

/// When timers are due that never fire here.
const FAR: Duration = Duration::from_hours(1);

/// All of them, each with a loop of its own.
///
/// # Errors
///
/// When a loop cannot be made.
pub(crate) fn workloads() -> Result<Vec<Workload>, LoopError> {
    Ok(vec![
        new("tidings call_soon", 1_000_000, call_soon)?,
        new("tidings call_soon captured", 1_000_000, captured)?,
        new("tidings chain", 100_000, chain)?,
        new("tidings insert", 100_000, insert)?,
        Live::each("tidings churn", replace),
        Live::each("tidings reset", reset),
        Workload::new("tidings fire", 1_000_000, |items| {
            fire(&EventLoop::virtual_time(), items)
        }),
        new("tidings join", 100_000, join)?,
        new("tidings join in groups", 100_000, join_in_groups)?,
        new("tidings yields", 300_000, yields)?,
        new("tidings promise", 100_000, promise)?,
        new("tidings threadsafe", 200_000, threadsafe)?,
    ])
}

fn new(
    name: &'static str,
    items: u64,
    run: fn(&EventLoop, u64) -> Took,
) -> Result<Workload, LoopError> {
    let lp = EventLoop::new()?;
    Ok(Workload::new(name, items, move |items| run(&lp, items)))
}

/// Queues all of them, and then has them called in one turn. It is one function, as in the other loops.
fn call_soon(lp: &EventLoop, items: u64) -> Took {
    let before = work::totals()[0];
    let start = Instant::now();
    for _ in 0..items {
        lp.call_soon(called)?;
    }
    lp.run_until_idle()?;
    let took = start.elapsed();
    assert_eq!(work::totals()[0] - before, items, "each is called");
    Ok(took)
}

fn called(_: &EventLoop) {
    work::add(1, 0);
}

/// The same with a callback that has captured something, which takes an allocation.
fn captured(lp: &EventLoop, items: u64) -> Took {
    let count = Rc::new(Cell::new(0));
    let start = Instant::now();
    for _ in 0..items {
        let count = Rc::clone(&count);
        lp.call_soon(move |_| count.set(count.get() + 1))?;
    }
    lp.run_until_idle()?;
    let took = start.elapsed();
    assert_eq!(count.get(), items, "each is called");
    Ok(took)
}

/// Each callback queues the next one, so that every turn has one item.
fn chain(lp: &EventLoop, items: u64) -> Took {
    fn link(lp: &EventLoop, left: u64) -> Result<(), LoopError> {
        match left {
            0 => lp.stop(),
            _ => drop(lp.call_soon(move |lp| link(lp, left - 1))?),
        }
        Ok(())
    }

    let start = Instant::now();
    link(lp, items)?;
    lp.run_forever()?;
    Ok(start.elapsed())
}

/// Times in no order, all within a second that is an hour away.
pub(crate) fn times(items: u64) -> Vec<Instant> {
    let far = Instant::now() + FAR;
    let spread = |item: u64| item.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000;
    let time = |item| far + Duration::from_nanos(spread(item));
    (0..items).map(time).collect()
}

/// Sets timers, one after the other. Taking them back does not count.
fn insert(lp: &EventLoop, items: u64) -> Took {
    let times = times(items);
    let mut handles = Vec::with_capacity(times.len());
    let start = Instant::now();
    for at in times {
        handles.push(lp.call_at(at, called)?);
    }
    let took = start.elapsed();
    assert!(handles.iter().all(Handle::cancel), "none has fired");
    lp.run_until_idle()?;
    Ok(took)
}

type Done = Result<(), Box<dyn Error>>;

/// Many timers that stay.
struct Live {
    lp: EventLoop,
    handles: Vec<Handle>,
}

impl Live {
    fn new() -> Result<Self, LoopError> {
        let lp = EventLoop::new()?;
        let handles = times(LIVE).into_iter().map(|at| lp.call_at(at, called));
        let handles = handles.collect::<Result<_, _>>()?;
        Ok(Self { lp, handles })
    }

    /// Does something to one after the other; a turn comes after every thousand.
    fn each(name: &'static str, act: fn(&EventLoop, &mut Handle, Instant) -> Done) -> Workload {
        let mut live = None;
        Workload::new(name, 300_000, move |items| {
            let Self { lp, handles } = match &mut live {
                Some(live) => live,
                none => none.insert(Self::new()?),
            };
            let times = times(items);
            let start = Instant::now();
            for some in times.chunks(handles.len()) {
                for (place, at) in some.iter().enumerate() {
                    act(lp, &mut handles[place], *at)?;
                    if place % 1024 == 0 {
                        lp.turn(Duration::ZERO)?;
                    }
                }
            }
            let took = start.elapsed();
            assert_eq!(lp.timer_count(), handles.len());
            Ok(took)
        })
    }
}

/// Takes a timer back and sets another.
fn replace(lp: &EventLoop, handle: &mut Handle, at: Instant) -> Done {
    handle.cancel();
    *handle = lp.call_at(at, called)?;
    Ok(())
}

/// Puts a timer off.
fn reset(_: &EventLoop, handle: &mut Handle, at: Instant) -> Done {
    let was_set = handle.reset_at(at).then_some(());
    was_set.ok_or_else(|| "a timer that is an hour away has fired".into())
}

/// Sets timers at a nanosecond each, and has them fire.
fn fire(lp: &EventLoop, items: u64) -> Took {
    let before = work::totals()[0];
    let start = Instant::now();
    let from = lp.time();
    for item in 1..=items {
        lp.call_at(from + Duration::from_nanos(item), called)?;
    }
    lp.run_until_idle()?;
    let took = start.elapsed();
    assert_eq!(work::totals()[0] - before, items, "each fires");
    Ok(took)
}

/// Starts tasks, and then awaits each.
fn join(lp: &EventLoop, items: u64) -> Took {
    joined(lp, items, items)
}

/// The same with a thousand at a time.
fn join_in_groups(lp: &EventLoop, items: u64) -> Took {
    joined(lp, items, TASKS)
}

fn joined(lp: &EventLoop, items: u64, group: u64) -> Took {
    let all = async {
        let mut sum = 0;
        for _ in 0..items / group {
            let task = |item| lp.spawn(async move { item & 1 });
            let tasks: Result<Vec<_>, _> = (0..group).map(task).collect();
            for task in tasks? {
                sum += task.await?;
            }
        }
        Ok::<u64, Box<dyn Error>>(sum)
    };
    let start = Instant::now();
    let sum = lp.run_until_complete(all)??;
    let took = start.elapsed();
    assert_eq!(sum, items / 2, "each gives its result");
    Ok(took)
}

/// Tasks that let each other go first, again and again.
fn yields(lp: &EventLoop, items: u64) -> Took {
    let turns = items / TASKS;
    let own = lp.clone();
    let start = Instant::now();
    let tasks: Result<Vec<_>, _> = (0..TASKS)
        .map(|_| lp.spawn(yielding(own.clone(), turns)))
        .collect();
    let tasks = tasks?;
    lp.run_until_complete(async {
        for task in tasks {
            task.await?;
        }
        Ok::<(), tidings::event_loop::JoinError>(())
    })??;
    Ok(start.elapsed())
}

async fn yielding(lp: EventLoop, turns: u64) {
    for _ in 0..turns {
        lp.next_turn().await;
    }
}

/// Makes a promise with a callback, keeps it, and has the callback called; the turn comes after a thousand.
fn promise(lp: &EventLoop, items: u64) -> Took {
    let before = work::totals()[0];
    let start = Instant::now();
    for item in 0..items {
        let (promise, answer) = lp.promise();
        answer.on_done(|_, result| work::add(u64::from(result.is_ok()), 0));
        promise.resolve(item);
        if item % 1000 == 999 {
            lp.run_until_idle()?;
        }
    }
    lp.run_until_idle()?;
    let took = start.elapsed();
    assert_eq!(work::totals()[0] - before, items, "each is called");
    Ok(took)
}

/// Another thread has callbacks called, which all come while the loop runs.
fn threadsafe(lp: &EventLoop, items: u64) -> Took {
    let remote = lp.remote();
    let start = Instant::now();
    let thread = thread::spawn(move || {
        for _ in 1..items {
            remote.call_soon(|_| ())?;
        }
        remote.call_soon(EventLoop::stop)
    });
    lp.run_forever()?;
    let took = start.elapsed();
    thread.join().map_err(|_| "the thread panicked")??;
    Ok(took)
}
