//! Tokio's reactor: sockets, timers, signals and tokio's own tasks go on between two turns.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::time::{Sleep, sleep_until};

use super::{Driver, Next};
use crate::event_loop::shared::{Nanos, Shared};

/// The longest wait at a time: tokio's timers end at about two years.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(in crate::event_loop) struct Tokio {
    /// A run holds it too, so that the loop may be closed inside one.
    runtime: RefCell<Option<Rc<Runtime>>>,
    poll_every: u32,
    /// One timer for all of the loop's.
    sleep: RefCell<Option<Pin<Box<Sleep>>>>,
}

struct Runtime(Option<LocalRuntime>);

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // The other way waits for blocking tasks, and panics inside a runtime.
            runtime.shutdown_background();
        }
    }
}

impl Tokio {
    pub(in crate::event_loop) fn new(poll_every: u32) -> io::Result<Self> {
        let options = LocalOptions::default();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(options)?;
        Ok(Self {
            runtime: RefCell::new(Some(Rc::new(Runtime(Some(runtime))))),
            poll_every,
            sleep: RefCell::new(None),
        })
    }

    fn runtime(&self) -> Option<Rc<Runtime>> {
        self.runtime.borrow().clone()
    }

    /// Whether a wait is over; otherwise the task is woken at its end.
    fn wait(&self, shared: &Shared, until: Option<Nanos>, cx: &mut Context<'_>) -> bool {
        if !shared.listen(cx.waker()) {
            return true;
        }
        let Some(at) = until.map(|at| shared.time(at)) else {
            return false;
        };
        let now = Instant::now();
        if at <= now {
            return true;
        }
        let at = tokio::time::Instant::from_std(at.min(now + LONGEST));
        let mut sleep = self.sleep.borrow_mut();
        let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}

impl Driver for Tokio {
    fn run(&self, shared: &Shared, turn: &mut dyn FnMut() -> Next) {
        let mut turns = 0;
        let mut next = Next::Again;
        let mut has_looked = false;
        let pump = poll_fn(|cx| {
            if !std::mem::replace(&mut has_looked, true) {
                // A run that never waits, such as a single turn, looks for I/O as well.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            loop {
                if let Next::Wait(until) = next {
                    if !self.wait(shared, until, cx) {
                        // Whatever woke this task, one look at what is due costs little.
                        next = Next::Again;
                        return Poll::Pending;
                    }
                }
                next = turn();
                match next {
                    Next::Done => return Poll::Ready(()),
                    Next::Wait(_) => turns = 0,
                    Next::Again => {
                        turns += 1;
                        if turns >= self.poll_every {
                            turns = 0;
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                }
            }
        });
        let runtime = self.runtime();
        if let Some(runtime) = runtime.as_ref().and_then(|runtime| runtime.0.as_ref()) {
            runtime.block_on(tokio::task::unconstrained(pump));
        }
    }

    fn blocking(&self, f: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        if let Some(runtime) = (self.runtime().as_ref()).and_then(|runtime| runtime.0.as_ref()) {
            drop(runtime.spawn_blocking(f));
        }
        Ok(())
    }

    fn end(&self) {
        drop(self.sleep.take());
        drop(self.runtime.take());
    }
}

impl Drop for Tokio {
    fn drop(&mut self) {
        self.end();
    }
}
