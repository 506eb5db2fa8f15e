//! The limit that the threads of a bus share, and the queues that wait for one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Wake;
use std::time::Duration;

use super::channel::{Channel, WeakChannel};
use super::park::Bell;

/// The threads that a bus may have, shared by its queues. It is a handle: clones are the same limit.
///
/// A queue that gets no thread waits until one ends. Then idle threads end at once, and busy ones give way to queues that have none.
#[derive(Clone)]
pub struct Threads {
    pub(super) pool: Arc<Pool>,
}

pub(super) struct Pool {
    pub(super) limit: usize,
    pub(super) idle: Duration,
    state: Mutex<State>,
    /// The process in which threads were started.
    process: OnceLock<u32>,
    /// Some queue waits for a thread.
    pub(super) crowded: AtomicBool,
    /// Some queue that waits has no worker at all.
    pub(super) starving: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    running: usize,
    /// Threads that have ended, ever.
    ended: u64,
    waiting: VecDeque<Waiting>,
    seats: Vec<Arc<Seat>>,
}

struct Waiting {
    address: usize,
    has_none: bool,
    /// Asks for the worker again; `false` if the queue does not want one any more.
    again: Box<dyn FnOnce() -> bool + Send>,
}

/// A thread, for others to see.
pub(super) struct Seat {
    pub(super) bell: Arc<Bell>,
    pub(super) parked: AtomicBool,
    pub(super) leave: AtomicBool,
}

impl Default for Threads {
    fn default() -> Self {
        Self::new(512, Duration::from_secs(10))
    }
}

impl Threads {
    /// At most `limit` threads at one time; a thread ends after it found nothing to do for the time `idle`.
    #[must_use]
    pub fn new(limit: usize, idle: Duration) -> Self {
        Self {
            pool: Arc::new(Pool {
                limit: limit.max(1),
                idle,
                state: Mutex::default(),
                process: OnceLock::new(),
                crowded: AtomicBool::new(false),
                starving: AtomicBool::new(false),
            }),
        }
    }

    /// Threads that run now.
    pub fn running(&self) -> usize {
        self.pool.lock().running
    }

    /// Threads that may run at one time.
    pub fn limit(&self) -> usize {
        self.pool.limit
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_flags(&self, state: &State) {
        let starving = state.waiting.iter().any(|waiting| waiting.has_none);
        self.starving.store(starving, Ordering::SeqCst);
        self.crowded
            .store(!state.waiting.is_empty(), Ordering::SeqCst);
    }

    /// Whether the threads are those of this process: a fork has none of them.
    pub(super) fn is_here(&self) -> bool {
        let process = self.process.get();
        process.is_none_or(|process| *process == std::process::id())
    }

    /// A place for a thread, or how many have ended so far.
    pub(super) fn permit(self: &Arc<Self>) -> Result<Permit, u64> {
        let mut state = self.lock();
        if state.running >= self.limit {
            return Err(state.ended);
        }
        state.running += 1;
        self.process.get_or_init(std::process::id);
        Ok(Permit {
            pool: Arc::clone(self),
            ended: state.ended,
            seat: None,
        })
    }

    pub(super) fn enqueue<T: Send + 'static>(&self, channel: &Channel<T>, has_none: bool) {
        let weak = channel.downgrade();
        let mut state = self.lock();
        self.remove(&mut state, weak.address());
        state.waiting.push_back(Waiting {
            address: weak.address(),
            has_none,
            again: Box::new(move || weak.upgrade().is_some_and(|channel| channel.nudge())),
        });
        self.set_flags(&state);
    }

    /// A queue has what it waited for.
    pub(super) fn forget<T>(&self, weak: &WeakChannel<T>) {
        self.remove(&mut self.lock(), weak.address());
    }

    fn remove(&self, state: &mut State, address: usize) {
        state.waiting.retain(|waiting| waiting.address != address);
        self.set_flags(state);
    }

    /// Asks again for a queue whose worker could not be started when `ended` threads had ended.
    pub(super) fn wait<T: Send + 'static>(&self, channel: &Channel<T>, ended: u64) {
        let Some(wanting) = channel.wants_worker() else {
            return;
        };
        self.enqueue(channel, wanting.has_none);
        let state = self.lock();
        let missed = state.ended != ended;
        let parked = |seat: &&Arc<Seat>| seat.parked.load(Ordering::SeqCst);
        let seat = state.seats.iter().find(parked).map(Arc::clone);
        drop(state);
        if let Some(seat) = seat {
            seat.leave.store(true, Ordering::Relaxed);
            seat.bell.wake_by_ref();
        }
        // A thread that ended before the queue stood in line did not see it.
        if missed {
            self.serve();
        }
    }

    /// Gives a free place to whoever waits for it.
    fn serve(&self) {
        loop {
            let mut state = self.lock();
            if state.running >= self.limit {
                return;
            }
            let starving = state.waiting.iter().position(|waiting| waiting.has_none);
            let Some(waiting) = state.waiting.remove(starving.unwrap_or(0)) else {
                return;
            };
            self.set_flags(&state);
            drop(state);
            if (waiting.again)() {
                return;
            }
        }
    }
}

/// The right to a thread.
pub(super) struct Permit {
    pub(super) pool: Arc<Pool>,
    pub(super) ended: u64,
    seat: Option<Arc<Seat>>,
}

impl Permit {
    pub(super) fn sit_down(&mut self) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            bell: Bell::new(),
            parked: AtomicBool::new(false),
            leave: AtomicBool::new(false),
        });
        self.pool.lock().seats.push(Arc::clone(&seat));
        self.seat = Some(Arc::clone(&seat));
        seat
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        {
            let mut state = self.pool.lock();
            state.running -= 1;
            let Some(seat) = &self.seat else {
                // No thread came of it, so none has ended.
                return;
            };
            state.ended += 1;
            state.seats.retain(|other| !Arc::ptr_eq(other, seat));
        }
        self.pool.serve();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("limit", &self.pool.limit)
            .field("idle", &self.pool.idle)
            .finish_non_exhaustive()
    }
}
