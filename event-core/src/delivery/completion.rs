//! The end of an awaited emission, which several deliveries tell.

use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::{Ended, Given};
use crate::dispatch::failure::Failure;
use crate::dispatch::report::Report;
use crate::sync::{lock, wake};

/// Where an awaited emission waits for its spawned deliveries.
pub(crate) struct Completion(Mutex<Waiting>);

struct Waiting {
    left: usize,
    report: Report,
    waker: Option<Waker>,
}

impl Completion {
    pub(crate) fn new(report: Report) -> Self {
        Self(Mutex::new(Waiting {
            left: 0,
            report,
            waker: None,
        }))
    }

    pub(super) fn expect_one(&self) {
        lock(&self.0).left += 1;
    }

    /// Adds what was found out elsewhere.
    pub(crate) fn add(&self, report: Report) {
        lock(&self.0).report.add(report);
    }

    /// Counts what was not spawned, or what nobody waits for.
    pub(crate) fn count(&self, given: Given) {
        lock(&self.0).report.count_given(given);
    }

    pub(crate) fn done(&self, result: Result<Ended, Failure>) {
        let mut waiting = lock(&self.0);
        waiting.left -= 1;
        waiting.report.count_ended(result);
        let waker = if waiting.left == 0 {
            waiting.waker.take()
        } else {
            None
        };
        drop(waiting);
        wake(waker);
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Report> {
        // Cloning and dropping wakers is code of the executor's, which may end other tasks of this emission: not under the lock.
        let waker = cx.waker().clone();
        let mut waiting = lock(&self.0);
        if waiting.left == 0 {
            let report = std::mem::take(&mut waiting.report);
            drop(waiting);
            return Poll::Ready(report);
        }
        let before = waiting.waker.replace(waker);
        drop(waiting);
        drop(before);
        Poll::Pending
    }
}
