//! Futures on plain threads: the thread parks while they wait.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::channel::Channel;
use crate::clock::{Clock, Sleep};

thread_local! {
    /// When the thread has to look again at the latest, said by a `ParkClock` while the future is polled.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A clock for workers on threads: such a thread waits by parking until then, so there is no timer.
///
/// Its sleeps end only on a thread that runs a worker or waits for a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParkClock;

impl Clock for ParkClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Box::pin(Parked(at))
    }
}

struct Parked(Instant);

impl Future for Parked {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.0 {
            return Poll::Ready(());
        }
        let earlier = DEADLINE.get().is_some_and(|deadline| deadline < self.0);
        if !earlier {
            DEADLINE.set(Some(self.0));
        }
        Poll::Pending
    }
}

/// Wakes one thread.
pub(super) struct Bell {
    thread: Thread,
    rung: AtomicBool,
}

impl Bell {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            thread: std::thread::current(),
            rung: AtomicBool::new(false),
        })
    }

    fn was_rung(&self) -> bool {
        self.rung.swap(false, Ordering::Acquire)
    }

    /// Looks for a while, since parking and being unparked costs more than most waits last.
    fn rings_soon(&self) -> bool {
        snooze(|| self.rung.load(Ordering::Relaxed)) && self.was_rung()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

const SPINS: u32 = 6;
const YIELDS: u32 = 4;

/// Waits a little for a condition, without parking. Says whether it came.
fn snooze(condition: impl Fn() -> bool) -> bool {
    for round in 0..SPINS + YIELDS {
        if condition() {
            return true;
        }
        if round < SPINS {
            (0..1 << round).for_each(|_| std::hint::spin_loop());
        } else {
            std::thread::yield_now();
        }
    }
    condition()
}

/// What a driven future may be told while it waits.
pub(super) trait Patience {
    /// How long it may wait for nothing until `ran_out` is called.
    fn limit(&self) -> Option<Duration>;

    /// It is about to park. `true` calls `ran_out` at once.
    fn parks(&self) -> bool;

    /// It parks no longer.
    fn woke(&self);

    /// It waited in vain; the future is polled again.
    fn ran_out(&self);
}

/// Waits as long as it takes.
struct Endless;

impl Patience for Endless {
    fn limit(&self) -> Option<Duration> {
        None
    }

    fn parks(&self) -> bool {
        false
    }

    fn woke(&self) {}

    fn ran_out(&self) {}
}

/// Runs a future to its end on this thread.
pub(super) fn drive<F: Future>(
    mut future: Pin<&mut F>,
    bell: &Arc<Bell>,
    patience: &impl Patience,
) -> F::Output {
    let waker = Waker::from(Arc::clone(bell));
    let mut cx = Context::from_waker(&waker);
    let mut told = false;
    loop {
        DEADLINE.set(None);
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        let deadline = DEADLINE.get();
        if bell.rings_soon() {
            told = false;
            continue;
        }
        // At most once before each park: a future that cannot end would be polled without end.
        if patience.parks() && !told {
            told = true;
            patience.ran_out();
        } else {
            told = false;
            park(bell, deadline, patience);
        }
        patience.woke();
    }
}

/// Parks until the bell rings, the deadline comes or the patience runs out.
fn park(bell: &Bell, deadline: Option<Instant>, patience: &impl Patience) {
    let end = patience
        .limit()
        .and_then(|limit| Instant::now().checked_add(limit));
    while !bell.was_rung() {
        let Some(until) = deadline.into_iter().chain(end).min() else {
            std::thread::park();
            continue;
        };
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            std::thread::park_timeout(left);
        } else if Some(until) == deadline {
            return;
        } else {
            return patience.ran_out();
        }
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    drive(pin!(future), &Bell::new(), &Endless)
}

impl<T: Send + 'static> Channel<T> {
    /// Puts an item in the line for room, and parks this thread until it is in the queue.
    ///
    /// # Errors
    ///
    /// The item comes back if the queue is closed before.
    pub fn wait_here(&self, key: u64, item: T) -> Result<(), T> {
        let room = self.wait(key, item);
        self.linger();
        block_on(room)
    }

    /// Waits for a moment for some room, without parking.
    pub(crate) fn linger(&self) {
        // Looking out for the first place would slow the worker down at every item, so a moment is given it to make more of them.
        let some = self.config().capacity / 4;
        snooze(|| self.has_room(some));
    }

    /// Parks this thread until nothing is queued, runs or waits for a retry.
    pub fn wait_until_idle(&self) {
        block_on(self.idle());
    }
}
