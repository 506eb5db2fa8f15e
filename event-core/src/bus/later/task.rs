//! The task of the bus's runtime that waits for the time of one emission.

use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::bus::Inner;
use crate::bus::hook::Hook;
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded, panic_message};
use crate::listener::timed::Missed;
use crate::runtime::{Runtime, Task, sleep_steadily};
use crate::sync::{lock, wake};

type EmitOnce = Box<dyn FnOnce(&Arc<Inner>) -> Emission + Send>;
type EmitAgain = Box<dyn FnMut(&Arc<Inner>) -> Emission + Send>;

/// What is to be emitted.
pub(super) enum Job {
    Once(EmitOnce),
    Every {
        period: Duration,
        missed: Missed,
        emit: EmitAgain,
    },
}

/// An emission whose time has not come, or a periodic one.
pub(super) struct Timed {
    pub(super) topic: &'static str,
    id: u64,
    place: &'static Location<'static>,
    bus: Weak<Inner>,
    /// Where failures are told once the bus is gone.
    hook: Arc<Hook>,
    state: Mutex<State>,
}

struct State {
    at: Instant,
    /// Not once it is over.
    job: Option<Job>,
    /// A periodic one emits just now, and has its job in its hands.
    running: bool,
    waker: Option<Waker>,
}

impl Timed {
    pub(super) fn new(
        bus: &Arc<Inner>,
        id: u64,
        at: Instant,
        job: Job,
        topic: &'static str,
        place: &'static Location<'static>,
    ) -> Self {
        Self {
            topic,
            id,
            place,
            bus: Arc::downgrade(bus),
            hook: Arc::clone(&bus.hook),
            state: Mutex::new(State {
                at,
                job: Some(job),
                running: false,
                waker: None,
            }),
        }
    }

    pub(super) fn when(&self) -> Instant {
        lock(&self.state).at
    }

    pub(super) fn is_pending(&self) -> bool {
        let state = lock(&self.state);
        state.job.is_some() || state.running
    }

    /// Takes out what is left to do; whether there was something.
    fn take(&self) -> (Option<Job>, bool) {
        let mut state = lock(&self.state);
        let was_running = mem::take(&mut state.running);
        let (job, waker) = (state.job.take(), state.waker.take());
        drop(state);
        wake(waker);
        (job, was_running)
    }

    pub(super) fn cancel(&self) -> bool {
        let (job, was_running) = self.take();
        let bus = self.bus.upgrade();
        if let Some(bus) = &bus {
            bus.laters.remove(self.id);
        }
        let was_there = job.is_some() || was_running;
        self.drop_job(bus.as_deref(), job);
        was_there
    }

    /// Its time will not come. The end of a periodic one is no loss.
    pub(super) fn end(&self, bus: Option<&Inner>, why: &str) {
        let (job, _) = self.take();
        if let Some(Job::Once(_)) = &job {
            let (topic, place) = (self.topic, self.place);
            let message = format!("`{topic}` ({place}) was not emitted: {why}");
            self.tell(bus, Failure::new(None, FailureKind::Abandoned, message));
        }
        self.drop_job(bus, job);
    }

    /// The event is the user's, and so is its `Drop`.
    fn drop_job(&self, bus: Option<&Inner>, job: Option<Job>) {
        if let Err(message) = drop_guarded(job) {
            self.tell_panic(bus, "dropping", &message);
        }
    }

    fn tell_panic(&self, bus: Option<&Inner>, what: &str, message: &str) {
        let (topic, place) = (self.topic, self.place);
        let message = format!("{what} `{topic}` ({place}) panicked: {message}");
        self.tell(bus, Failure::new(None, FailureKind::Panic, message));
    }

    fn tell(&self, bus: Option<&Inner>, failure: Failure) {
        match bus {
            Some(bus) => drop(bus.report(failure)),
            None => self.hook.tell(&failure),
        }
    }

    /// Emits what is due, and sets the next time of a periodic one.
    fn fire(&self, bus: &Arc<Inner>, runtime: &Arc<dyn Runtime>) {
        let mut state = lock(&self.state);
        let Some(job) = state.job.take() else { return };
        state.running = matches!(job, Job::Every { .. });
        drop(state);
        match job {
            Job::Once(emit) => {
                bus.laters.remove(self.id);
                self.emit(bus, runtime, || emit(bus));
            }
            Job::Every {
                period,
                missed,
                mut emit,
            } => {
                self.emit(bus, runtime, || emit(bus));
                let now = runtime.now();
                let mut state = lock(&self.state);
                let next = missed.next(state.at, period, now);
                let is_on = mem::take(&mut state.running) && next.is_some();
                let mut job = Some(Job::Every {
                    period,
                    missed,
                    emit,
                });
                if let Some(next) = next.filter(|_| is_on) {
                    state.at = next;
                    state.job = job.take();
                }
                drop(state);
                self.drop_job(Some(bus), job);
            }
        }
    }

    fn emit(&self, bus: &Arc<Inner>, runtime: &Arc<dyn Runtime>, emit: impl FnOnce() -> Emission) {
        match catch_unwind(AssertUnwindSafe(emit)) {
            // In a task of its own, which may wait for room, so that the next time comes in time.
            Ok(emission) if emission.is_open() => {
                runtime.spawn(Box::pin(async move { drop(emission.await) }));
            }
            Ok(emission) => drop(emission),
            Err(panic) => self.tell_panic(Some(bus), "making", &panic_message(panic)),
        }
    }

    fn poll(
        &self,
        runtime: &Arc<dyn Runtime>,
        sleep: &mut Option<(Instant, Task)>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            let waker = cx.waker().clone();
            let mut state = lock(&self.state);
            let before = state.waker.replace(waker);
            let at = state.job.is_some().then_some(state.at);
            drop(state);
            // Wakers are code of an executor's.
            drop(before);
            let Some(at) = at else {
                return Poll::Ready(());
            };
            if sleep.as_ref().is_none_or(|(until, _)| *until != at) {
                *sleep = Some((at, sleep_steadily(runtime, at)));
            }
            if let Some((_, wait)) = sleep {
                if wait.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            *sleep = None;
            match self.bus.upgrade() {
                Some(bus) => self.fire(&bus, runtime),
                // It ends with its bus, which is being dropped.
                None => return Poll::Ready(()),
            }
        }
    }
}

/// The place of the task. Dropped before its time, nobody waits for that any more.
struct Place(Arc<Timed>);

impl Drop for Place {
    fn drop(&mut self) {
        let bus = self.0.bus.upgrade();
        if let Some(bus) = &bus {
            bus.laters.remove(self.0.id);
        }
        self.0.end(
            bus.as_deref(),
            "the runtime has ended, and nobody waits for the time any more; shut the bus down before its runtime",
        );
    }
}

pub(super) fn start(timed: &Arc<Timed>, runtime: &Arc<dyn Runtime>) {
    let place = Place(Arc::clone(timed));
    let own = Arc::clone(runtime);
    let mut sleep = None;
    let task: Task = Box::pin(async move {
        // The whole of it, so that it is dropped with the task.
        let place = place;
        poll_fn(|cx| place.0.poll(&own, &mut sleep, cx)).await;
    });
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runtime.spawn(task))) {
        // The task was dropped with it, and has told so.
        drop(panic_message(panic));
    }
}
