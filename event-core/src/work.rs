//! What a bus has accepted and not ended yet, and whether it accepts more.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, lock};

/// Everything is accepted.
const OPEN: u8 = 0;
/// Only what running deliveries emit is accepted.
const DRAINING: u8 = 1;
const CLOSED: u8 = 2;

/// The deliveries of one bus that outlive their emission.
pub(crate) struct Work {
    phase: AtomicU8,
    ended: AtomicBool,
    open: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

impl Work {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            phase: AtomicU8::new(OPEN),
            ended: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            waiting: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn drain(&self) {
        // A closed bus stays closed.
        let _ = (self.phase).compare_exchange(OPEN, DRAINING, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether this is the first end. What is left is told by one shutdown alone, also if two are called at once.
    pub(crate) fn ends_first(&self) -> bool {
        !self.ended.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn close(&self) {
        self.phase.store(CLOSED, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.load(Ordering::Acquire) == CLOSED
    }

    /// Whether an emission is refused; `inside` says whether a delivery of this bus makes it.
    pub(crate) fn refuses(&self, inside: impl FnOnce() -> bool) -> bool {
        match self.phase.load(Ordering::Acquire) {
            OPEN => false,
            DRAINING => !inside(),
            _ => true,
        }
    }

    /// Counts one delivery until the lease is dropped.
    pub(crate) fn lease(work: &Arc<Self>) -> Lease {
        work.open.fetch_add(1, Ordering::AcqRel);
        Lease(Arc::clone(work))
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Ends when nothing is open.
    pub(crate) fn idle(work: &Arc<Self>) -> Idle {
        Idle(Arc::clone(work))
    }
}

/// One open delivery.
pub(crate) struct Lease(Arc<Work>);

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            let waiting = std::mem::take(&mut *lock(&self.0.waiting));
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

pub(crate) struct Idle(Arc<Work>);

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut waiting = lock(&self.0.waiting);
        // Under the lock: who takes the last lease away comes for the wakers afterwards.
        let idle = self.0.open.load(Ordering::Acquire) == 0;
        let known = waiting.iter().any(|other| other.will_wake(&waker));
        let unused = if idle || known {
            Some(waker)
        } else {
            waiting.push(waker);
            None
        };
        drop(waiting);
        drop(unused);
        if idle { Poll::Ready(()) } else { Poll::Pending }
    }
}
