//! Running a loop, stopping and closing it.

use std::cell::Cell;
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use event_core::private::after;
use event_core::private::scope::{current_bus, outside};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::cancel::CancelReason;
use super::core::{Core, Item};
use super::driver::Next;
use super::error::LoopError;
use super::join::JoinError;
use super::local::{self, Running};
use super::shared::Message;
use super::tasks::Bell;
use super::turn::{Goal, Main};

/// What one [`turn`](EventLoop::turn) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turn {
    /// How many items it ran.
    pub ran: usize,
    /// Whether something is ready for the next one.
    pub is_ready: bool,
    /// The earliest timer.
    pub next: Option<Instant>,
    /// Whether the loop was [stopped](EventLoop::stop), in this turn or since the one before, also by a signal of `stop_on_signals`. Who hosts the
    /// loop ends its own then.
    pub is_stopped: bool,
}

/// What a loop dropped when it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Unfinished {
    /// Tasks that had not ended.
    pub tasks: usize,
    /// Timers that had not fired.
    pub timers: usize,
    /// Callbacks whose turn had not come, also from other threads.
    pub callbacks: usize,
}

impl Unfinished {
    /// Whether nothing was left.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl EventLoop {
    /// Runs until [`stop`](Self::stop) is called.
    ///
    /// # Errors
    ///
    /// [`AlreadyRunning`](LoopError::AlreadyRunning) and [`InsideRuntime`](LoopError::InsideRuntime) if the thread runs something already,
    /// [`Closed`](LoopError::Closed), or [`Fatal`](LoopError::Fatal).
    pub fn run_forever(&self) -> Result<(), LoopError> {
        self.drive(&mut goal())
    }

    /// Runs until the future has ended, and gives its result. The future may borrow, since it is no task of the loop.
    ///
    /// What becomes ready together with its end still runs. If the loop is stopped first, a future given by value is dropped; a task goes on in a later
    /// run if its handle was given as `&mut handle`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidings::event_loop::{EventLoop, LoopError};
    ///
    /// let lp = EventLoop::virtual_time();
    /// let mut task = lp.spawn({
    ///     let lp = lp.clone();
    ///     async move {
    ///         lp.sleep(Duration::from_secs(3)).await;
    ///         "done"
    ///     }
    /// })?;
    /// lp.call_later(Duration::from_secs(1), |lp| lp.stop())?;
    /// assert!(matches!(lp.run_until_complete(&mut task), Err(LoopError::Stopped)));
    /// assert_eq!(lp.run_until_complete(task)?, Ok("done"));
    /// # Ok::<(), LoopError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Stopped`](LoopError::Stopped), and those of [`run_forever`](Self::run_forever).
    ///
    /// # Panics
    ///
    /// With the future's own panic.
    pub fn run_until_complete<F: IntoFuture>(&self, future: F) -> Result<F::Output, LoopError> {
        self.check_run()?;
        let mut future = pin!(future.into_future());
        let mut output = None;
        let mut poll = |cx: &mut Context<'_>| match future.as_mut().poll(cx) {
            Poll::Ready(value) => {
                output = Some(value);
                true
            }
            Poll::Pending => false,
        };
        let bell = Bell::of_run(&self.core.shared);
        bell.ring();
        let main = Main {
            poll: &mut poll,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            ended: false,
        };
        let mut goal = Goal {
            main: Some(main),
            ..goal()
        };
        match (self.drive(&mut goal), output) {
            (Ok(()) | Err(LoopError::Closed), Some(value)) => Ok(value),
            (Ok(()), None) => Err(LoopError::Stopped),
            (Err(error), _) => Err(error),
        }
    }

    /// Runs until nothing is ready, no timer waits and no [`blocking`](Self::blocking) call is under way. Tasks that wait for something else, for I/O too, stay.
    ///
    /// # Errors
    ///
    /// Those of [`run_forever`](Self::run_forever).
    pub fn run_until_idle(&self) -> Result<(), LoopError> {
        self.drive(&mut Goal {
            until_idle: true,
            ..goal()
        })
    }

    /// Runs until `time` has passed on the loop's clock. What is due then runs too.
    ///
    /// # Errors
    ///
    /// Those of [`run_forever`](Self::run_forever).
    #[track_caller]
    pub fn run_for(&self, time: Duration) -> Result<(), LoopError> {
        self.check_run()?;
        let end = self.call_later(time, EventLoop::stop)?.scoped();
        let ended = self.run_forever();
        drop(end);
        ended
    }

    /// Waits until something is ready, for `max_wait` at most, and runs one turn: so another loop, of a game or of a window, can host this one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// lp.call_soon(|_| println!("in the first frame"))?;
    /// let turn = lp.turn(Duration::ZERO)?;
    /// assert_eq!((turn.ran, turn.is_ready), (1, false));
    ///
    /// lp.call_soon(|lp| lp.stop())?;
    /// assert!(lp.turn(Duration::ZERO)?.is_stopped);
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    ///
    /// A [stop](Self::stop) ends no loop of the host's: [`is_stopped`](Turn::is_stopped) tells the host of it, once.
    ///
    /// # Errors
    ///
    /// Those of [`run_forever`](Self::run_forever).
    pub fn turn(&self, max_wait: Duration) -> Result<Turn, LoopError> {
        let shared = &self.core.shared;
        let mut goal = Goal {
            once: Some(shared.nanos(after(shared.now(), max_wait))),
            ..goal()
        };
        self.drive(&mut goal)?;
        Ok(Turn {
            ran: goal.ran.get(),
            is_ready: self.core.has_ready(),
            next: self.core.next_deadline().map(|at| shared.time(at)),
            is_stopped: goal.stopped.get(),
        })
    }

    /// Has the run end after this turn: what was ready at its beginning still runs. Without a run, the next one has a single turn, which does not wait.
    /// A [`turn`](Self::turn) tells its host of it by [`is_stopped`](Turn::is_stopped).
    ///
    /// Inside [`run`](super::run) and `#[tidings::main]` it asks `main` to end, as a signal does: it is dropped at its `.await`, or has the loop's grace
    /// period if it waits for [`cancelled`](Self::cancelled). What is left is shut down then, which another stop does not cut short.
    pub fn stop(&self) {
        self.core.stop();
    }

    pub(super) fn check_run(&self) -> Result<(), LoopError> {
        self.core.check_open()?;
        if local::running().is_some() {
            return Err(LoopError::AlreadyRunning);
        }
        check_outside()
    }

    fn drive(&self, goal: &mut Goal<'_>) -> Result<(), LoopError> {
        struct Reset<'c>(&'c Core);

        impl Drop for Reset<'_> {
            fn drop(&mut self) {
                self.0.stopping.set(false);
                self.0.waiting.set(false);
            }
        }

        self.check_run()?;
        let core = &self.core;
        core.main_bus.set(current_bus());
        let _reset = Reset(core);
        let _running = Running::begin(core);
        let lp = core.handle();
        let mut turn = || {
            core.waiting.set(false);
            let next = core.turn(&lp, goal);
            core.waiting.set(matches!(next, Next::Wait(_)));
            next
        };
        outside(|| core.driver.run(&core.shared, &mut turn));
        goal.stopped.set(core.stopping.get());
        if goal.main.as_ref().is_some_and(|main| main.ended) {
            // A stop or a fatal error came first; the next run is not to end with this one's future.
            (core.ready.borrow_mut()).retain(|item| !matches!(item, Item::Stop));
        }
        core.check_open()?;
        let fatal = core.fatal.take();
        fatal.map_or(Ok(()), |fatal| Err(LoopError::Fatal(fatal)))
    }

    /// Whether the loop runs just now.
    pub fn is_running(&self) -> bool {
        self.core.running.get()
    }

    /// Whether the loop was closed.
    pub fn is_closed(&self) -> bool {
        self.core.closed.get()
    }

    /// Drops everything that is left, and takes nothing any more. Says what was dropped; a second time there is nothing.
    ///
    /// Threads of [`blocking`](Self::blocking) calls are not waited for. Tokio's own tasks on this loop are dropped and not counted.
    ///
    /// # Errors
    ///
    /// [`AlreadyRunning`](LoopError::AlreadyRunning) inside a run of this loop.
    pub fn close(&self) -> Result<Unfinished, LoopError> {
        if self.is_running() {
            return Err(LoopError::AlreadyRunning);
        }
        Ok(self.core.close())
    }
}

fn goal() -> Goal<'static> {
    Goal {
        main: None,
        until_idle: false,
        once: None,
        ran: Cell::new(0),
        stopped: Cell::new(false),
    }
}

/// Whether this thread may block.
#[cfg_attr(
    not(feature = "tokio"),
    expect(clippy::unnecessary_wraps, reason = "nothing else runs tasks then")
)]
pub(super) fn check_outside() -> Result<(), LoopError> {
    #[cfg(feature = "tokio")]
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(LoopError::InsideRuntime);
    }
    Ok(())
}

impl Core {
    pub(super) fn stop(self: &Rc<Self>) {
        let main = self.main.borrow().clone();
        if let Some(main) = main.filter(|main| !main.is_over()) {
            main.ask_soon(self, CancelReason::Stop);
        } else {
            self.stopping.set(true);
            self.end_wait();
        }
    }

    pub(super) fn close(self: &Rc<Self>) -> Unfinished {
        self.closed.set(true);
        self.end_wait();
        let mail = self.shared.close();
        let ready = self.ready.take();
        let tasks = self.tasks.borrow_mut().drain();
        let calls = self.calls.borrow_mut().drain();
        let threads = self.calls_of_threads.take();
        drop(self.timers.take());
        let timers = calls.iter().filter(|call| call.is_timer()).count();
        let waits = calls.iter().filter(|call| call.waits()).count();
        let unfinished = Unfinished {
            tasks: tasks.len(),
            timers,
            callbacks: calls.len() - timers - waits
                + mail
                    .iter()
                    .filter(|mail| !matches!(mail, Message::Nothing))
                    .count(),
        };
        for slot in &tasks {
            slot.end.control().ends_because(CancelReason::Close);
        }
        for slot in tasks {
            let end = Rc::clone(&slot.end);
            drop_quietly(slot);
            end.settle(JoinError::Cancelled);
        }
        calls.into_iter().for_each(drop_quietly);
        mail.into_iter().for_each(drop_quietly);
        let hearers = self.hearers.take();
        drop_quietly((ready, threads, hearers));
        drop(self.main.take());
        #[cfg(feature = "signal")]
        {
            super::signal::forget(self.shared.id);
            drop_quietly(self.handlers.take());
        }
        // Tokio's own tasks may hold this loop, which holds the driver.
        self.driver.end();
        unfinished
    }
}
