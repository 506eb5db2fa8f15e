//! A runtime in virtual time, for tests and simulations: nobody waits for a clock.

mod drive;
mod home;
mod sleep;
mod timers;
mod world;

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use event_core::private::after;
use event_core::{Runtime, Task};

use drive::{Busy, Until};
use world::World;

/// A runtime on one thread with a clock of its own, which goes on only when there is nothing else to do.
///
/// A retry after an hour, a timeout and a sleep take no time, and happen in the same order in every run. The thread that makes it is its home:
/// tasks run there and nowhere else, and only while it is driven. The driving methods do that, and so do, on the home thread, the `.await` of an
/// emission or of a shutdown whatever executor runs it, `shutdown_blocking`, the drop of an installed bus's guard and an emission that has to
/// wait for room in a queue. With [`now`](Runtime::now) and [`sleep_until`](Runtime::sleep_until) a listener takes part in the virtual time.
///
/// The queues of plain functions run as its tasks too, one item a turn, so a test with queues has one thread. See
/// [`real_threads`](Self::real_threads).
///
/// Only what it runs itself is worth waiting for: if its tasks wait for another thread and for a timer, the timer comes first. If there is no
/// timer it parks until it is woken.
///
/// Tasks that keep each other ready without an end, such as a circle of async listeners, do not stop the clock for who waits: after 250,000
/// rounds at one point in time it goes on to the next timer. [`advance`](Self::advance) and [`run_until_stalled`](Self::run_until_stalled), which
/// are to come to the end of what is ready, panic then.
///
/// A clone is the same runtime. What is left when the last one is dropped, or when the home thread ends, is dropped; async deliveries are then
/// reported as abandoned. The handle of a bus does not count, since tasks keep their bus; one in its state does, and keeps what is left until the
/// thread ends. A task that panics ends, says so on stderr, and the
/// others go on.
///
/// ```standalone_crate
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
/// use tidings::{Bus, VirtualRuntime, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener(queue = 16, retry = 1, backoff = "1h..1h")]
/// fn charge(_: &Placed, tries: &AtomicU32) -> Result<(), &'static str> {
///     match tries.fetch_add(1, Ordering::Relaxed) {
///         0 => Err("the bank is closed"),
///         _ => Ok(()),
///     }
/// }
///
/// let time = VirtualRuntime::new();
/// let bus = Bus::builder().state(AtomicU32::new(0)).runtime(time.clone()).build()?;
/// bus.emit(Placed);
///
/// time.run_until_stalled();
/// assert_eq!(bus.queues()[0].1.in_backoff, 1);
///
/// time.advance(Duration::from_secs(3600));
/// assert_eq!(bus.queues()[0].1.delivered, 1);
/// assert_eq!(time.elapsed(), Duration::from_secs(3600));
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Clone)]
pub struct VirtualRuntime {
    world: Arc<World>,
    /// Not with the handle of a bus.
    #[expect(dead_code, reason = "held to be dropped")]
    owner: Option<Arc<Owner>>,
    real_threads: bool,
}

/// The handles of a user together.
struct Owner(Arc<World>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.drop_tasks();
    }
}

impl Default for VirtualRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl VirtualRuntime {
    /// Makes this thread its home. What is ready runs in the order in which it became so.
    #[must_use]
    pub fn new() -> Self {
        Self::with(None)
    }

    /// The same, with ready tasks in an order that is drawn from `seed`: other seeds find other orders, one seed always the same.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use event_core::Runtime;
    /// use event_runtime::VirtualRuntime;
    ///
    /// let run = |seed| {
    ///     let time = VirtualRuntime::seeded(seed);
    ///     let order = Arc::new(Mutex::new(Vec::new()));
    ///     for number in 0..8 {
    ///         let order = Arc::clone(&order);
    ///         time.spawn(Box::pin(async move { order.lock().unwrap().push(number) }));
    ///     }
    ///     time.run_until_stalled();
    ///     Arc::into_inner(order).unwrap().into_inner().unwrap()
    /// };
    /// assert_eq!(run(1), run(1));
    /// assert_ne!(run(1), run(2));
    /// ```
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::with(Some(fastrand::Rng::with_seed(seed)))
    }

    fn with(random: Option<fastrand::Rng>) -> Self {
        let world = World::new(random);
        home::settle(&world);
        Self {
            owner: Some(Arc::new(Owner(Arc::clone(&world)))),
            world,
            real_threads: false,
        }
    }

    /// For a bus that is given this handle: the queues of plain functions run on threads, as without a virtual runtime.
    ///
    /// Virtual time does not wait for those threads, so `shutdown_blocking` then measures its deadline on the real clock, and `shutdown` should
    /// not be awaited.
    #[must_use]
    pub fn real_threads(self) -> Self {
        Self {
            real_threads: true,
            ..self
        }
    }

    #[cfg(feature = "test")]
    pub(crate) fn is_home(&self) -> bool {
        self.world.is_home()
    }

    /// The handle of a bus, which does not keep the tasks.
    pub(crate) fn of_bus(self) -> Self {
        Self {
            owner: None,
            ..self
        }
    }

    /// Drives the future and the tasks. When nothing is ready the clock jumps to the next timer; without one the thread parks until it is woken.
    ///
    /// ```
    /// use std::time::Duration;
    /// use event_core::Runtime;
    /// use event_runtime::VirtualRuntime;
    ///
    /// let time = VirtualRuntime::new();
    /// let at = time.now() + Duration::from_secs(86_400);
    /// time.block_on(time.sleep_until(at));
    /// assert_eq!(time.now(), at);
    /// ```
    ///
    /// # Panics
    ///
    /// On another thread than the one that made the runtime, inside one of its tasks, and with the future.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let driver = self.world.enter();
        let mut output = None;
        driver.drive(pin!(async { output = Some(future.await) }), Until::End);
        output.expect("without a deadline it is driven to its end")
    }

    /// Runs all that is ready, until nothing is. No time passes.
    ///
    /// # Panics
    ///
    /// On another thread than the one that made the runtime, inside one of its tasks, and when something is ready after 250,000 rounds.
    #[track_caller]
    pub fn run_until_stalled(&self) {
        let driver = self.world.enter();
        driver.run_ready(None).unwrap_or_else(|Busy| circle());
    }

    /// Runs what is ready, and then lets `time` pass: every timer up to then fires in its order, with what it makes ready run in between.
    ///
    /// # Panics
    ///
    /// On another thread than the one that made the runtime, inside one of its tasks, and when something is ready after 250,000 rounds at one
    /// point in time.
    #[track_caller]
    pub fn advance(&self, time: Duration) {
        let driver = self.world.enter();
        let ran = driver.advance(after(self.world.now(), time), None);
        ran.unwrap_or_else(|Busy| circle());
    }

    /// The same, until a deadline in real time; whether it came to its end.
    #[cfg(feature = "test")]
    #[track_caller]
    pub(crate) fn advance_until(&self, time: Duration, deadline: Option<Instant>) -> bool {
        let driver = self.world.enter();
        let to = after(self.world.now(), time);
        driver.advance(to, deadline).is_ok()
    }

    /// Lets the clock go on, and nothing runs: what a slow synchronous listener costs. Timers that became due fire when the runtime is driven next.
    ///
    /// Here and in [`advance`](Self::advance) a time that no `Instant` can tell goes far into the future, and not to its end.
    pub fn pass(&self, time: Duration) {
        self.world.pass(time);
    }

    /// The virtual time since the runtime was made.
    pub fn elapsed(&self) -> Duration {
        self.world.now() - self.world.start()
    }

    /// When the next timer fires.
    pub fn next_timer(&self) -> Option<Instant> {
        self.world.next_timer()
    }

    /// Lets the clock jump to the next timer and fires all of that time; what waited for them is ready and did not run yet. Says whether there was one.
    ///
    /// # Panics
    ///
    /// On another thread than the one that made the runtime, and inside one of its tasks.
    #[track_caller]
    pub fn fire_next_timer(&self) -> bool {
        let _driver = self.world.enter();
        self.world.fire_next()
    }
}

#[track_caller]
fn circle() -> ! {
    panic!(
        "the tasks of a virtual runtime keep each other ready, and no time goes on: all that was ready had its turn 250,000 times"
    )
}

impl Runtime for VirtualRuntime {
    fn spawn(&self, task: Task) {
        self.world.spawn(task);
    }

    fn now(&self) -> Instant {
        self.world.now()
    }

    fn sleep_until(&self, at: Instant) -> Task {
        Box::pin(sleep::Sleep::new(&self.world, at))
    }

    fn is_current(&self) -> bool {
        self.world.is_driven_here()
    }

    fn lend(self) -> Arc<dyn Runtime> {
        Arc::new(self.of_bus())
    }

    fn help(&self, who: usize, cx: &mut Context<'_>) {
        self.world.help(who, cx);
    }

    fn park(&self, future: Pin<&mut dyn Future<Output = ()>>, time: Option<Duration>) -> bool {
        let Some(driver) = self.world.try_enter() else {
            return event_core::private::park(future, time);
        };
        driver.drive(
            future,
            match time {
                None => Until::End,
                Some(time) if self.real_threads => Until::real(time),
                Some(time) => Until::passed(self.world.now(), time),
            },
        )
    }

    fn runs_queues(&self) -> bool {
        !self.real_threads
    }
}

impl fmt::Debug for VirtualRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tasks, ready, timers] = self.world.counts();
        f.debug_struct("VirtualRuntime")
            .field("elapsed", &self.elapsed())
            .field("tasks", &tasks)
            .field("ready", &ready)
            .field("timers", &timers)
            .finish_non_exhaustive()
    }
}
