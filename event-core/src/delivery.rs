//! A delivery to an async listener, from its hand-over to its end.

mod batch;
mod completion;
mod end;
pub(crate) mod flights;
pub(crate) mod future_slot;
pub(crate) mod lane;
pub(crate) mod pace;
pub(crate) mod park;
pub(crate) mod room;
pub(crate) mod runs;
mod spawned;
pub(crate) mod tick;
pub(crate) mod timer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

pub(crate) use batch::{Batch, Round};
pub(crate) use completion::Completion;
pub(crate) use end::{End, Ended, FollowUp, Given, follow_up};

use crate::bus::Inner;
use crate::bus::work::{Lease, Work};
use crate::delivery::flights::{Admission, Say};
use crate::delivery::future_slot::FutureSlot;
use crate::dispatch::context::Handed;
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded, panic_message};
use crate::dispatch::stack::{self, Chain};
use crate::listener::ListenerInfo;
use crate::listener::returns::Step;
use crate::runtime::Task;

const CLOSED: &str = "the bus is shut down";

/// The failure of a delivery that was left when the bus was shut down.
pub(crate) fn given_up(listener: ListenerInfo) -> Failure {
    let message = "the bus was shut down before the delivery ended";
    Failure::new(Some(listener), FailureKind::Abandoned, message)
}

/// The failure of a delivery that had not begun when the last handle of the bus was dropped.
pub(crate) fn let_go(listener: ListenerInfo) -> Failure {
    let message = "the last handle of the bus was dropped before the delivery began; keep one, or shut the bus down first";
    Failure::new(Some(listener), FailureKind::Abandoned, message)
}

/// The deliveries of one async listener.
pub(crate) type Flights = flights::Flights<Completion>;

type Turn = flights::Turn<Completion>;

/// A future that was not run to its end yet. Dropped in this state it is reported.
pub(crate) struct Pending {
    handed: Handed,
    chain: Chain,
    future: FutureSlot,
    flights: Arc<Flights>,
    turn: Option<Turn>,
    /// Counts it among what the bus has open.
    lease: Option<Lease>,
    /// Who awaits it, once it has ended.
    awaiting: Option<Arc<Completion>>,
    /// Ends when the listener has run for as long as it may.
    timeout: Option<Task>,
    spawned: bool,
    /// Its failures are told by its queue, which may try it again.
    queued: bool,
    /// Why the task that ran it lets it go.
    let_go: Option<Arc<str>>,
}

impl Pending {
    pub(crate) fn new(
        handed: Handed,
        chain: Chain,
        future: FutureSlot,
        flights: &Arc<Flights>,
    ) -> Self {
        Self {
            handed,
            chain,
            future,
            flights: Arc::clone(flights),
            turn: None,
            lease: None,
            awaiting: None,
            timeout: None,
            spawned: false,
            queued: false,
            let_go: None,
        }
    }

    /// Says why it will be dropped unfinished.
    pub(crate) fn will_go(&mut self, why: &Arc<str>) {
        self.let_go = Some(Arc::clone(why));
    }

    pub(crate) fn bus(&self) -> &Arc<Inner> {
        &self.handed.bus
    }

    /// A delivery of a queue: the queue says when it runs, and tells what goes wrong.
    pub(crate) fn behind_a_queue(mut self) -> Self {
        self.queued = true;
        self.spawned = true;
        self
    }

    /// Whether somebody outside of every delivery made the emission. Nobody else may wait: it could be for himself.
    fn may_wait(&self) -> bool {
        self.handed.depth == 1
    }

    /// Asks for the turn, if that has not been done; a delivery that gets none ends.
    fn admit(
        &mut self,
        may_wait: bool,
        now: Option<Instant>,
    ) -> Result<(), Result<Ended, Failure>> {
        if self.turn.is_some() {
            return Ok(());
        }
        let bus = &self.handed.bus;
        if !self.queued && bus.work.is_closed() {
            let failure = self.failure(FailureKind::Closed, CLOSED);
            return Err(self.end_unstarted(Err(failure)));
        }
        match Flights::admit(&self.flights, now.unwrap_or_else(|| bus.now()), may_wait) {
            Admission::Turn(turn) => {
                self.lease = Some(Work::lease(&bus.work));
                self.turn = Some(turn);
                Ok(())
            }
            Admission::Skipped => Err(self.end_unstarted(Ok(Ended::Skipped))),
            Admission::Overloaded => {
                let message = format!(
                    "as many deliveries of the listener are under way as may be ({}); raise `limit`, or await the emission outside of any listener",
                    self.flights.policy().limit
                );
                let failure = self.failure(FailureKind::Overloaded, message);
                Err(self.end_unstarted(Err(failure)))
            }
        }
    }

    fn failure(&self, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::new(Some(self.handed.listener.clone()), kind, message)
    }

    /// Ends a delivery whose future was not polled to its end.
    fn end_unstarted(&mut self, result: Result<Ended, Failure>) -> Result<Ended, Failure> {
        let dropped = self.drop_future();
        match (result, dropped) {
            (Err(failure), _) => Err(self.tell(failure)),
            (Ok(_), Err(message)) => Err(self.tell(self.failure(FailureKind::Panic, message))),
            (ended, Ok(())) => ended,
        }
    }

    /// Ends a delivery that the bus has reported already.
    fn end_given_up(&mut self) -> Result<Ended, Failure> {
        let failure = given_up(self.handed.listener.clone());
        // A panic of the future's `Drop` adds nothing that could be acted on.
        let _ = self.drop_future();
        Err(failure)
    }

    /// Waits for the turn, and starts the clock when it has come.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Result<Ended, Failure>>> {
        let may_wait = self.may_wait();
        if let Err(ended) = self.admit(may_wait, None) {
            return Poll::Ready(Err(ended));
        }
        let bus = &self.handed.bus;
        let turn = self.turn.as_mut().expect("it was admitted");
        let began_before = turn.has_begun();
        match turn.poll(|| bus.now(), cx) {
            Poll::Pending if !self.spawned && !may_wait => {
                let failure = self.failure(
                    FailureKind::Overloaded,
                    "the listener's deliveries run one at a time, and this emission is awaited inside a delivery: waiting could be for ever; give the bus a runtime",
                );
                Poll::Ready(Err(self.end_unstarted(Err(failure))))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(Say::Superseded) => {
                Poll::Ready(Err(self.end_unstarted(Ok(Ended::Skipped))))
            }
            Poll::Ready(Say::GivenUp) => Poll::Ready(Err(self.end_given_up())),
            Poll::Ready(Say::Go) => {
                if !began_before || self.timeout.is_none() {
                    let timeout = self.flights.policy().timeout;
                    let at = timeout.and_then(|time| bus.now().checked_add(time));
                    self.timeout = at.map(|at| bus.sleep_until(at));
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Ends a delivery that ran for too long.
    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ended, Failure>> {
        let Some(timeout) = self.timeout.as_mut() else {
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| timeout.as_mut().poll(cx)));
        let message = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => format!(
                "the listener did not end within {:?}",
                self.flights.policy().timeout.unwrap_or_default()
            ),
            Err(panic) => format!("the runtime's timer panicked: {}", panic_message(panic)),
        };
        let failure = self.failure(FailureKind::TimedOut, message);
        Poll::Ready(self.end_unstarted(Err(failure)))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let ended = |result| {
            Poll::Ready(End {
                result,
                returned: Vec::new(),
            })
        };
        if self.future.is_empty() {
            return Poll::Pending;
        }
        match self.poll_turn(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(result)) => return ended(result),
            Poll::Ready(Ok(())) => {}
        }
        let end = self.poll_future(cx);
        if end.is_ready() {
            return end;
        }
        if let Poll::Ready(result) = self.poll_timeout(cx) {
            return ended(result);
        }
        // Nobody may poll it again but who gives it up.
        match self.turn.as_mut().map(|turn| turn.goes_on_in(cx.waker())) {
            Some(Say::GivenUp) => ended(self.end_given_up()),
            _ => Poll::Pending,
        }
    }

    fn poll_future(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut step = None;
        let polled = stack::with(|stack| {
            let _resumed = stack.resume(self.chain.entries());
            let poll = || self.future.poll_into(cx, &mut step);
            catch_unwind(AssertUnwindSafe(poll)).map_err(panic_message)
        });
        let ended = match (polled, step) {
            (Ok(()), None) => return Poll::Pending,
            // It was dropped with its last poll.
            (dropped, Some(step)) => (Ok(step), dropped),
            (Err(message), None) => (Err(message), Ok(())),
        };
        let dropped = self.drop_future();
        Poll::Ready(self.conclude(ended.0, ended.1.and(dropped)))
    }

    /// Tells what became of a future that was polled for the last time and dropped.
    fn conclude(&self, result: Result<Step, String>, dropped: Result<(), String>) -> End {
        let panicked = |message: String| self.fail(self.failure(FailureKind::Panic, message));
        match (result, dropped) {
            (Ok(Step::More(effects)), dropped) => match (effects.error, dropped) {
                (None, Ok(())) => End {
                    result: Ok(Ended::Ran),
                    returned: effects.events,
                },
                (error, dropped) => {
                    let end = match (error, dropped) {
                        (Some(error), _) => {
                            self.fail(Failure::error(self.handed.listener.clone(), error))
                        }
                        (None, dropped) => panicked(dropped.err().unwrap_or_default()),
                    };
                    if let Err(message) = drop_guarded(effects.events) {
                        let bus = &self.handed.bus;
                        bus.tell_drop(Some(&self.handed.listener), "what it returned", &message);
                    }
                    end
                }
            },
            (Err(message), _) | (Ok(_), Err(message)) => panicked(message),
            (Ok(_), Ok(())) => End {
                result: Ok(Ended::Ran),
                returned: Vec::new(),
            },
        }
    }

    /// Tells the hook, on the delivery's own chain: the free `emit` in it uses this bus, as for an inline failure.
    fn tell(&self, failure: Failure) -> Failure {
        if self.queued {
            return failure;
        }
        stack::with(|stack| {
            let _resumed = stack.resume(self.chain.entries());
            self.handed.bus.report(failure)
        })
    }

    fn fail(&self, failure: Failure) -> End {
        End {
            result: Err(self.tell(failure)),
            returned: Vec::new(),
        }
    }

    /// Ends the future's life; its `Drop` is code of the listener's like its body, on the same bus. Only then the next one has its turn.
    fn drop_future(&mut self) -> Result<(), String> {
        let dropped = if self.future.is_empty() {
            Ok(())
        } else {
            stack::with(|stack| {
                let _resumed = stack.resume(self.chain.entries());
                let clear = || self.future.clear();
                catch_unwind(AssertUnwindSafe(clear)).map_err(panic_message)
            })
        };
        self.timeout = None;
        self.awaiting = self.turn.take().and_then(Turn::end);
        dropped
    }

    /// The delivery will not be made: nobody awaited it and there is no runtime.
    pub(crate) fn refuse(&mut self) -> Failure {
        let failure = self.unfinished();
        // A panic of the future's own `Drop` is told with the failure.
        match self.drop_future() {
            Ok(()) => failure,
            Err(message) => Failure::new(
                Some(self.handed.listener.clone()),
                failure.kind(),
                format!(
                    "{}; dropping its future panicked: {message}",
                    failure.message()
                ),
            ),
        }
    }

    fn unfinished(&self) -> Failure {
        if let Some(why) = &self.let_go {
            return self.failure(FailureKind::Abandoned, &**why);
        }
        let (kind, message) = if self.spawned {
            (
                FailureKind::Abandoned,
                "the runtime dropped the listener's future before it finished",
            )
        } else {
            (
                FailureKind::NoRuntime,
                "the emission was not awaited to the end, and the bus has no runtime: write `.await`, or build the bus with `.runtime(..)` and `install()` it",
            )
        };
        Failure::new(Some(self.handed.listener.clone()), kind, message)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.turn.as_ref().is_some_and(Turn::is_given_up) {
            drop(self.end_given_up());
        }
        if !self.future.is_empty() {
            let failure = self.unfinished();
            // The failure is already told; a panic of the future's `Drop` adds nothing that could be acted on.
            let _ = self.drop_future();
            // Its queue is told nothing: its worker was dropped with it.
            self.queued = false;
            drop(self.tell(failure));
        }
    }
}
