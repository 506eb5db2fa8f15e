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
    waiters: Mutex<Waiters>,
    /// Of what has no queue.
    leases: Tally,
    queues: Mutex<Vec<Arc<Tally>>>,
}

/// Some of the queues of a bus.
pub(crate) type Queues = Arc<Vec<Arc<Tally>>>;

#[derive(Default)]
struct Waiters {
    /// In the order of their numbers.
    list: Vec<Waiter>,
    numbers: u64,
}

struct Waiter {
    /// By which the one who waits knows it.
    number: u64,
    waker: Waker,
    /// Which queues it waits for; all that is open if there are none.
    of: Option<Queues>,
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
            waiters: Mutex::new(Waiters::default()),
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
        let told = std::mem::take(&mut waiters.list);
        drop(waiters);
        wake(told.into_iter().map(|waiter| waiter.waker));
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
        open(|| std::iter::once(&self.leases).chain(queues.iter().map(|queue| &**queue)))
    }

    /// Ends when nothing is open.
    pub(crate) fn idle(work: &Arc<Self>) -> Ends {
        Ends::new(work, When::Idle, None)
    }

    /// Ends when nothing is open, or all that was is given up.
    pub(crate) fn done(work: &Arc<Self>) -> Ends {
        Ends::new(work, When::Done, None)
    }

    /// The same for some of the queues.
    pub(crate) fn done_of(work: &Arc<Self>, queues: Queues) -> Ends {
        Ends::new(work, When::Done, Some(queues))
    }

    /// Ends when what was left is given up and listed.
    pub(crate) fn over(work: &Arc<Self>) -> Ends {
        Ends::new(work, When::Over, None)
    }

    fn is_over(&self) -> bool {
        self.phase.load(Ordering::Acquire) == OVER
    }

    /// Whoever ends a delivery looks for waiters only while there are some.
    fn rest(&self, waiters: &Waiters) {
        self.waiting
            .store(!waiters.list.is_empty(), Ordering::Relaxed);
    }

    #[cold]
    fn tell_waiters(&self) {
        let mut waiters = lock(&self.waiters);
        let idle = self.open() == 0;
        let told: Vec<Waiter>;
        (told, waiters.list) = std::mem::take(&mut waiters.list)
            .into_iter()
            .partition(|waiter| idle || waiter.of.as_ref().is_some_and(are_idle));
        self.rest(&waiters);
        drop(waiters);
        wake(told.into_iter().map(|waiter| waiter.waker));
    }
}

impl Waiters {
    /// Keeps a waker until it is told, taken out or replaced by the next one of the same number. What is not needed any more.
    fn keep(
        &mut self,
        number: &mut Option<u64>,
        waker: Waker,
        of: Option<&Queues>,
    ) -> Option<Waker> {
        if let Some(at) = number.and_then(|number| self.find(number)) {
            return Some(std::mem::replace(&mut self.list[at].waker, waker));
        }
        self.numbers += 1;
        *number = Some(self.numbers);
        self.list.push(Waiter {
            number: self.numbers,
            waker,
            of: of.cloned(),
        });
        None
    }

    fn remove(&mut self, number: u64) -> Option<Waiter> {
        let at = self.find(number)?;
        Some(self.list.remove(at))
    }

    fn find(&self, number: u64) -> Option<usize> {
        let place = |waiter: &Waiter| waiter.number;
        self.list.binary_search_by_key(&number, place).ok()
    }
}

/// How many deliveries are open, never too few.
fn open<'a, T: Iterator<Item = &'a Tally>>(tallies: impl Fn() -> T) -> usize {
    // First what has ended: at the moment in between no less was opened, so equal sums mean that nothing was open then.
    let ended = tallies().fold(0, |sum: usize, tally| sum.wrapping_add(tally.ended()));
    let opened = |tally: &Tally| tally.opened.load(Ordering::Relaxed);
    let opened = tallies().fold(0, |sum: usize, tally| sum.wrapping_add(opened(tally)));
    opened.wrapping_sub(ended)
}

fn are_idle(queues: &Queues) -> bool {
    open(|| queues.iter().map(|queue| &**queue)) == 0
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

/// See [`Work::idle`], [`Work::done`], [`Work::done_of`] and [`Work::over`].
pub(crate) struct Ends {
    work: Arc<Work>,
    when: When,
    /// Which queues it is about; all that is open if there are none.
    of: Option<Queues>,
    /// Of its waker among those who wait, which may be told already.
    number: Option<u64>,
}

impl Ends {
    fn new(work: &Arc<Work>, when: When, of: Option<Queues>) -> Self {
        Self {
            work: Arc::clone(work),
            when,
            of,
            number: None,
        }
    }

    fn is_now(&self) -> bool {
        let idle = || match &self.of {
            None => self.work.open() == 0,
            Some(queues) => are_idle(queues),
        };
        let over = || self.work.is_over();
        match self.when {
            When::Idle => idle(),
            When::Over => over(),
            When::Done => idle() || over(),
        }
    }

    /// Nobody is to be told any more.
    fn leave(&mut self) {
        let Some(number) = self.number.take() else {
            return;
        };
        let mut waiters = lock(&self.work.waiters);
        let gone = waiters.remove(number);
        self.work.rest(&waiters);
        drop(waiters);
        // A waker is code of an executor's.
        drop(gone);
    }
}

impl Future for Ends {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let mut waiters = lock(&this.work.waiters);
        // Before the counts are read. Who ends the last delivery meanwhile, or ends it all, comes for the wakers after this lock.
        this.work.waiting.store(true, Ordering::Relaxed);
        let ended = this.is_now();
        let unused = if ended {
            Some(waker)
        } else {
            waiters.keep(&mut this.number, waker, this.of.as_ref())
        };
        this.work.rest(&waiters);
        drop(waiters);
        drop(unused);
        if ended {
            this.leave();
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.leave();
    }
}
