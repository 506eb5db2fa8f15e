//! What a bus has accepted and not ended yet, and whether it accepts more.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, lock, wake};

/// Everything is accepted.
const OPEN: u8 = 0;
/// Only what running deliveries emit is accepted.
const DRAINING: u8 = 1;
const CLOSED: u8 = 2;
/// And what was left is given up and listed.
const OVER: u8 = 3;

/// The deliveries of one bus that outlive their emission.
pub(crate) struct Work {
    phase: AtomicU8,
    /// Somebody may be in `waiters`.
    waiting: AtomicBool,
    waiters: Mutex<Vec<Waker>>,
    /// Of what has no queue.
    leases: Tally,
    queues: Mutex<Vec<Arc<Tally>>>,
}

/// How many deliveries were opened and how many have ended, ever. Two numbers, since mostly one core writes the first and another the second.
pub(crate) struct Tally {
    opened: Apart<AtomicUsize>,
    ended: Apart<AtomicUsize>,
}

/// Not on one cache line with its neighbours, which other cores write.
#[repr(align(128))]
struct Apart<T>(T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            opened: Apart(AtomicUsize::new(0)),
            ended: Apart(AtomicUsize::new(0)),
        }
    }

    pub(crate) fn open(&self) {
        // Who sees the end of the delivery that opened this one sees this, too.
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// As many have ended, and nothing is left of them.
    pub(crate) fn end(&self, work: &Work, deliveries: usize) {
        self.ended.fetch_add(deliveries, Ordering::AcqRel);
        if work.waiting.load(Ordering::Relaxed) {
            work.tell_waiters();
        }
    }

    fn ended(&self) -> usize {
        // Written, though not changed: an end that this does not see then sees what was written before, which is that somebody waits.
        self.ended.fetch_add(0, Ordering::AcqRel)
    }
}

impl Work {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            phase: AtomicU8::new(OPEN),
            waiting: AtomicBool::new(false),
            waiters: Mutex::new(Vec::new()),
            leases: Tally::new(),
            queues: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn drain(&self) {
        // A closed bus stays closed.
        let _ = (self.phase).compare_exchange(OPEN, DRAINING, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(crate) fn close(&self) {
        // What is over stays so.
        self.phase.fetch_max(CLOSED, Ordering::AcqRel);
    }

    /// Nothing is waited for any more, whatever is still open.
    pub(crate) fn end(&self) {
        self.phase.store(OVER, Ordering::Release);
        let mut waiters = lock(&self.waiters);
        self.waiting.store(false, Ordering::Relaxed);
        let told = std::mem::take(&mut *waiters);
        drop(waiters);
        wake(told);
    }

    /// Whether no shutdown has begun.
    pub(crate) fn is_open(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OPEN
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.load(Ordering::Acquire) >= CLOSED
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
        work.leases.open();
        Lease(Arc::clone(work))
    }

    /// The same for as long as somebody waits for it here.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.leases.open();
        Hold(self)
    }

    /// Counts the deliveries of a queue, too.
    pub(crate) fn add(&self, queue: &Arc<Tally>) {
        let mut queues = lock(&self.queues);
        if queues.len() == queues.capacity() {
            // Nobody is left who could open or end anything there.
            queues.retain(|queue| Arc::strong_count(queue) > 1);
        }
        queues.push(Arc::clone(queue));
    }

    /// Never too few. Of a queue whose worker is busy, what it ended since it last rested may be among them.
    pub(crate) fn open(&self) -> usize {
        let queues = lock(&self.queues);
        let tallies = || std::iter::once(&self.leases).chain(queues.iter().map(|queue| &**queue));
        // First what has ended: at the moment in between no less was opened, so equal sums mean that nothing was open then.
        let ended = tallies().fold(0, |sum: usize, tally| sum.wrapping_add(tally.ended()));
        let opened = |tally: &Tally| tally.opened.load(Ordering::Relaxed);
        let opened = tallies().fold(0, |sum: usize, tally| sum.wrapping_add(opened(tally)));
        opened.wrapping_sub(ended)
    }

    /// Ends when nothing is open.
    pub(crate) fn idle(work: &Arc<Self>) -> Ends {
        Ends::new(work, When::Idle)
    }

    /// Ends when nothing is open, or all that was is given up.
    pub(crate) fn done(work: &Arc<Self>) -> Ends {
        Ends::new(work, When::Done)
    }

    /// Ends when what was left is given up and listed.
    pub(crate) fn over(work: &Arc<Self>) -> Ends {
        Ends::new(work, When::Over)
    }

    fn is_over(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OVER
    }

    #[cold]
    fn tell_waiters(&self) {
        let mut waiters = lock(&self.waiters);
        if self.open() > 0 {
            return;
        }
        self.waiting.store(false, Ordering::Relaxed);
        let told = std::mem::take(&mut *waiters);
        drop(waiters);
        wake(told);
    }
}

/// One open delivery.
pub(crate) struct Lease(Arc<Work>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.leases.end(&self.0, 1);
    }
}

/// Something open that does not outlive the bus.
pub(crate) struct Hold<'a>(&'a Work);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.leases.end(self.0, 1);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Idle,
    Over,
    Done,
}

/// See [`Work::idle`], [`Work::done`] and [`Work::over`].
pub(crate) struct Ends {
    work: Arc<Work>,
    when: When,
}

impl Ends {
    fn new(work: &Arc<Work>, when: When) -> Self {
        Self {
            work: Arc::clone(work),
            when,
        }
    }

    fn is_now(&self) -> bool {
        let idle = || self.work.open() == 0;
        let over = || self.work.is_over();
        match self.when {
            When::Idle => idle(),
            When::Over => over(),
            When::Done => idle() || over(),
        }
    }
}

impl Future for Ends {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let work = &self.work;
        let waker = cx.waker().clone();
        let mut waiters = lock(&work.waiters);
        // Before the counts are read. Who ends the last delivery meanwhile, or ends it all, comes for the wakers after this lock.
        work.waiting.store(true, Ordering::Relaxed);
        let ended = self.is_now();
        let known = waiters.iter().any(|other| other.will_wake(&waker));
        let unused = if ended || known {
            Some(waker)
        } else {
            waiters.push(waker);
            None
        };
        work.waiting.store(!waiters.is_empty(), Ordering::Relaxed);
        drop(waiters);
        drop(unused);
        if ended {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
