//! The callback loop of `calloop`.

use std::error::Error;
use std::time::{Duration, Instant};

use calloop::channel::{Event, channel};
use calloop::futures::executor;
use calloop::timer::{TimeoutAction, Timer};
use calloop::{EventLoop, LoopHandle, RegistrationToken};
use tidings_benches::timed::{Took, Workload};

use crate::ours::times;

type Loop = EventLoop<'static, u64>;

/// What it has of the same kind, each with a loop of its own.
pub(crate) fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("calloop call_soon", 1_000_000, call_soon),
        // It looks for a free place from the beginning.
        Workload::new("calloop insert", 10_000, insert),
        Workload::new("calloop spawn", 100_000, spawn),
        Workload::new("calloop threadsafe", 200_000, threadsafe),
    ]
}

/// Runs until as many were counted.
fn run(mut own: Loop, items: u64) -> Result<(), Box<dyn Error>> {
    let mut count = 0;
    while count < items {
        own.dispatch(None, &mut count)?;
    }
    assert_eq!(count, items, "each is called once");
    Ok(())
}

fn call_soon(items: u64) -> Took {
    let mut own = Loop::try_new()?;
    let handle = own.handle();
    let mut count = 0;
    let start = Instant::now();
    for _ in 0..items {
        handle.insert_idle(|count| *count += 1);
    }
    own.dispatch(Some(Duration::ZERO), &mut count)?;
    let took = start.elapsed();
    assert_eq!(count, items, "each is called");
    Ok(took)
}

fn insert(items: u64) -> Took {
    let own = Loop::try_new()?;
    let handle = own.handle();
    let times = times(items);
    let mut tokens = Vec::with_capacity(usize::try_from(items)?);
    let start = Instant::now();
    for at in times {
        tokens.push(set(&handle, at)?);
    }
    let took = start.elapsed();
    assert_eq!(tokens.len() as u64, items);
    Ok(took)
}

fn set(
    handle: &LoopHandle<'static, u64>,
    at: Instant,
) -> Result<RegistrationToken, calloop::Error> {
    let inserted = handle.insert_source(Timer::from_deadline(at), |_, &mut (), count| {
        *count += 1;
        TimeoutAction::Drop
    });
    Ok(inserted?)
}

/// Tasks whose results are counted; there are no handles to await.
fn spawn(items: u64) -> Took {
    let own = Loop::try_new()?;
    let (tasks, scheduler) = executor()?;
    own.handle()
        .insert_source(tasks, |one, &mut (), count| *count += one)?;
    let start = Instant::now();
    for _ in 0..items {
        scheduler.schedule(async { 1 })?;
    }
    run(own, items)?;
    Ok(start.elapsed())
}

fn threadsafe(items: u64) -> Took {
    let own = Loop::try_new()?;
    let (sender, receiver) = channel();
    own.handle()
        .insert_source(receiver, |event, &mut (), count| {
            if let Event::Msg(one) = event {
                *count += one;
            }
        })?;
    let start = Instant::now();
    let thread = std::thread::spawn(move || (0..items).try_for_each(|_| sender.send(1)));
    run(own, items)?;
    let took = start.elapsed();
    thread.join().map_err(|_| "the thread panicked")??;
    Ok(took)
}
