//! A delivery that a runtime runs.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::{Completion, FollowUp, Given, Pending};
use crate::delivery::flights;
use crate::delivery::room::Room;
use crate::dispatch::failure::panic_message;
use crate::dispatch::report::Report;
use crate::listener::returns::Returned;

impl Pending {
    /// Gives the delivery to the bus's runtime. From here on it begins a chain of its own: nothing waits on the stack for it.
    ///
    /// `completion` is for somebody who awaits the emission. He waits for the listener's turn too, unless he stands in a delivery himself: then
    /// the delivery counts as accepted.
    pub(crate) fn spawn(
        mut self,
        runtime: &dyn crate::Runtime,
        completion: Option<&Arc<Completion>>,
        now: Instant,
    ) -> Given {
        let may_wait = completion.is_some() && self.may_wait();
        if let Err(ended) = self.admit(may_wait, Some(now)) {
            return Given::Ended(ended);
        }
        let begun = self.turn.as_ref().is_some_and(flights::Turn::has_begun);
        let completion = completion.filter(|_| begun || may_wait);
        if let (Some(completion), Some(turn)) = (completion, &self.turn) {
            completion.expect_one();
            turn.await_with(Arc::clone(completion));
        }
        let given = completion.is_none();
        self.spawned = true;
        self.chain = self.chain.clone().own();
        let task = Spawned {
            pending: Some(self),
            after: None,
        };
        // A runtime that panics drops the task, which reports itself.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runtime.spawn(Box::pin(task)))) {
            drop(panic_message(panic));
        }
        if given {
            Given::Accepted
        } else {
            Given::Awaited
        }
    }
}

/// A delivery as a task of the bus's runtime.
struct Spawned {
    pending: Option<Pending>,
    after: Option<After>,
}

/// What a delivery that has ended returned, as far as it waits for room. Nobody waits for this task: its listener's turn is over, and who awaits
/// the emission is told.
struct After {
    rooms: Vec<Room>,
    /// The bus is not idle before.
    _source: FollowUp,
}

impl After {
    fn of(pending: &mut Pending, returned: Vec<Box<dyn Returned>>) -> Option<Self> {
        if returned.is_empty() {
            return None;
        }
        let source = pending.follow_up();
        let rooms = source.emit(returned, true).start_rooms();
        (!rooms.is_empty()).then_some(Self {
            rooms,
            _source: source,
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The reports of returned events are their own.
        let mut report = Report::default();
        let rooms = &mut self.rooms;
        rooms.retain_mut(|room| room.poll(cx, &mut report).is_pending());
        if rooms.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Future for Spawned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pending) = self.pending.as_mut() {
            let Poll::Ready(end) = pending.poll(cx) else {
                return Poll::Pending;
            };
            let after = After::of(pending, end.returned);
            let awaiting = pending.awaiting.take();
            self.after = after;
            self.pending = None;
            if let Some(completion) = awaiting {
                completion.done(end.result);
            }
        }
        match &mut self.after {
            None => Poll::Ready(()),
            Some(after) => {
                let polled = after.poll(cx);
                if polled.is_ready() {
                    self.after = None;
                }
                polled
            }
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        if pending
            .turn
            .as_ref()
            .is_some_and(flights::Turn::is_given_up)
        {
            return;
        }
        let bus = Arc::clone(pending.bus());
        let failure = bus.report(pending.refuse());
        if let Some(completion) = pending.awaiting.take() {
            completion.done(Err(failure));
        }
    }
}
