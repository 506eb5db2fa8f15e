//! Tokio's runtime for tasks of one thread.

use std::future::{Future as _, poll_fn};
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use tidings_benches::timed::{Took, Workload};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::{JoinError, JoinHandle, yield_now};
use tokio::time::sleep_until;

use crate::ours::{LIVE, TASKS, times};

/// What it has of the same kind, all on one runtime.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn workloads() -> io::Result<Vec<Workload>> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default())?;
    let runtime = Rc::new(runtime);
    let new = |name, items, run: fn(&LocalRuntime, u64) -> Took| {
        let runtime = Rc::clone(&runtime);
        Workload::new(name, items, move |items| run(&runtime, items))
    };
    Ok(vec![
        new("tokio reset", 300_000, reset),
        new("tokio join", 100_000, join),
        new("tokio join in groups", 100_000, join_in_groups),
        new("tokio yields", 300_000, yields),
    ])
}

/// Puts timers off among many that are polled.
fn reset(runtime: &LocalRuntime, items: u64) -> Took {
    runtime.block_on(async {
        let mut sleeps: Vec<_> = times(LIVE)
            .into_iter()
            .map(|at| Box::pin(sleep_until(at.into())))
            .collect();
        for sleep in &mut sleeps {
            let polled = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx)));
            assert!(polled.await.is_pending(), "it is an hour away");
        }
        let times = times(items);
        let start = Instant::now();
        for some in times.chunks(sleeps.len()) {
            for (sleep, at) in sleeps.iter_mut().zip(some) {
                sleep.as_mut().reset((*at).into());
            }
        }
        Ok(start.elapsed())
    })
}

async fn ended(tasks: Vec<JoinHandle<u64>>) -> Result<u64, JoinError> {
    let mut sum = 0;
    for task in tasks {
        sum += task.await?;
    }
    Ok(sum)
}

fn join(runtime: &LocalRuntime, items: u64) -> Took {
    joined(runtime, items, items)
}

fn join_in_groups(runtime: &LocalRuntime, items: u64) -> Took {
    joined(runtime, items, TASKS)
}

fn joined(runtime: &LocalRuntime, items: u64, group: u64) -> Took {
    let all = async {
        let mut sum = 0;
        for _ in 0..items / group {
            let task = |item| tokio::task::spawn_local(async move { item & 1 });
            sum += ended((0..group).map(task).collect()).await?;
        }
        Ok::<u64, JoinError>(sum)
    };
    let start = Instant::now();
    let sum = runtime.block_on(all)?;
    let took = start.elapsed();
    assert_eq!(sum, items / 2, "each gives its result");
    Ok(took)
}

fn yields(runtime: &LocalRuntime, items: u64) -> Took {
    let turns = items / TASKS;
    let yielding = || async move {
        for _ in 0..turns {
            yield_now().await;
        }
        0
    };
    let start = Instant::now();
    runtime.block_on(async {
        let task = |_| tokio::task::spawn_local(yielding());
        ended((0..TASKS).map(task).collect()).await
    })?;
    Ok(start.elapsed())
}
