//! The loop that runs tasks, in its several lengths.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::world::World;

/// How long to drive a future.
#[derive(Clone, Copy)]
pub(super) enum Until {
    /// To its end.
    End,
    /// To this point of virtual time.
    Virtual(Instant),
    Real(Instant),
}

impl Until {
    /// A point in time that no clock reaches is none.
    pub(super) fn passed(now: Instant, time: Duration) -> Self {
        now.checked_add(time).map_or(Self::End, Self::Virtual)
    }

    /// Whether its real time is over.
    fn is_over(self) -> bool {
        matches!(self, Self::Real(end) if Instant::now() >= end)
    }

    pub(super) fn real(time: Duration) -> Self {
        let at = Instant::now().checked_add(time);
        at.map_or(Self::End, Self::Real)
    }
}

/// There is always something ready.
#[derive(Debug)]
pub(super) struct Busy;

/// The right to run tasks.
pub(super) struct Driver<'a>(&'a World);

impl World {
    #[track_caller]
    pub(super) fn enter(&self) -> Driver<'_> {
        assert!(
            self.is_home(),
            "a virtual runtime is driven only by the thread that made it: make one in each thread, or move the call there"
        );
        self.try_enter().expect(
            "a virtual runtime was driven inside one of its tasks, which would wait for itself: `.await` there instead",
        )
    }

    pub(super) fn try_enter(&self) -> Option<Driver<'_>> {
        let free = self.is_home() && !self.driven.swap(true, Ordering::Relaxed);
        free.then(|| Driver(self))
    }

    /// Goes one step on for a future of another executor, which is then polled again.
    pub(super) fn help(&self, who: usize, cx: &mut Context<'_>) {
        let Some(driver) = self.try_enter() else {
            return;
        };
        let seen = self.stirs();
        if driver.circles() {
            driver.jump();
        }
        let helped = driver.round() || driver.jump_if_quiet(who);
        drop(driver);
        if helped {
            cx.waker().wake_by_ref();
        } else {
            self.call_later(cx.waker().clone(), seen);
        }
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.0.driven.store(false, Ordering::Relaxed);
    }
}

/// So often all that is ready has its turn at one point in time. Tasks that are ready then go in a circle.
const MOST_ROUNDS: u64 = 250_000;

/// The deadline is looked at once in so many rounds.
const LOOK_EVERY: u64 = 64;

impl Driver<'_> {
    /// Runs what is ready until nothing is. Not when that has no end, or comes to none before the deadline.
    pub(super) fn run_ready(&self, deadline: Option<Instant>) -> Result<(), Busy> {
        for round in 0..MOST_ROUNDS {
            if !self.round() {
                return Ok(());
            }
            let look = round % LOOK_EVERY == 0;
            if look && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Busy);
            }
        }
        Err(Busy)
    }

    /// Whether tasks keep each other ready without an end, so that the clock has to go on all the same.
    fn circles(&self) -> bool {
        self.0.lock().rounds >= MOST_ROUNDS
    }

    /// A turn for each that is ready now, so that tasks which are always ready do not keep others waiting.
    fn round(&self) -> bool {
        let ready = {
            let mut state = self.0.lock();
            state.rounds += 1;
            state.ready.len()
        };
        (0..ready).for_each(|_| {
            self.0.turn();
        });
        ready > 0
    }

    /// Only when the same future comes again: what else the same task waits for may be ready, or set a timer that comes first.
    fn jump_if_quiet(&self, who: usize) -> bool {
        if self.0.next_timer().is_none() {
            return false;
        }
        let mut state = self.0.lock();
        let again = state.quiet.contains(&who);
        if !again {
            state.quiet.push(who);
        }
        drop(state);
        !again || self.jump()
    }

    /// Tasks that waited for a time run before the future that drives them and waited for it too.
    fn jump(&self) -> bool {
        self.0.fire_next() && {
            self.round();
            true
        }
    }

    pub(super) fn advance(&self, to: Instant, deadline: Option<Instant>) -> Result<(), Busy> {
        self.run_ready(deadline)?;
        while self.0.next_timer().is_some_and(|at| at <= to) {
            self.0.fire_next();
            self.run_ready(deadline)?;
        }
        self.0.move_to(to);
        Ok(())
    }

    /// Drives the future with the tasks. Says whether it ended.
    pub(super) fn drive(
        &self,
        mut future: Pin<&mut dyn Future<Output = ()>>,
        until: Until,
    ) -> bool {
        let bell = Arc::new(Bell {
            home: thread::current(),
            rung: AtomicBool::new(true),
        });
        let waker = Waker::from(Arc::clone(&bell));
        let mut cx = Context::from_waker(&waker);
        loop {
            if bell.rung.swap(false, Ordering::Acquire) && future.as_mut().poll(&mut cx).is_ready()
            {
                return true;
            }
            if self.circles() {
                match until {
                    Until::Virtual(end) if self.0.next_timer().is_none_or(|at| at > end) => {
                        self.0.move_to(end);
                        return false;
                    }
                    _ => self.jump(),
                };
            }
            let busy = self.round() || bell.rung.load(Ordering::Relaxed);
            if busy && !until.is_over() {
                continue;
            }
            match until {
                Until::Virtual(end) if self.0.next_timer().is_none_or(|at| at > end) => {
                    self.0.move_to(end);
                    return false;
                }
                _ if !until.is_over() && self.jump() => {}
                Until::Real(end) => match end.checked_duration_since(Instant::now()) {
                    None => return false,
                    Some(left) => self.park(&bell, Some(left)),
                },
                Until::End | Until::Virtual(_) => self.park(&bell, None),
            }
        }
    }

    fn park(&self, bell: &Bell, time: Option<Duration>) {
        // A wake that comes after this look leaves its mark with the thread, which then does not park.
        if self.0.has_ready() || bell.rung.load(Ordering::Relaxed) {
            return;
        }
        match time {
            None => thread::park(),
            Some(time) => thread::park_timeout(time),
        }
    }
}

/// Has the driven future polled again.
struct Bell {
    home: Thread,
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Release) {
            self.home.unpark();
        }
    }
}
