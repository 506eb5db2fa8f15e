//! A delivery that a runtime runs.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Completion, Given, Pending};
use crate::failure::panic_message;
use crate::flights;

impl Pending {
    /// Gives the delivery to the bus's runtime. From here on it begins a chain of its own: nothing waits on the stack for it.
    ///
    /// `completion` is for somebody who awaits the emission. He waits for the listener's turn too, unless he stands in a delivery himself: then
    /// the delivery counts as accepted.
    pub(crate) fn spawn(
        mut self,
        runtime: &dyn crate::Runtime,
        completion: Option<&Arc<Completion>>,
    ) -> Given {
        let may_wait = completion.is_some() && self.may_wait();
        if let Err(ended) = self.admit(may_wait) {
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
        if let Some(own) = self.chain.pop() {
            self.chain = vec![own];
        }
        let task = Spawned {
            pending: Some(self),
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
}

impl Future for Spawned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pending) = self.pending.as_mut() else {
            return Poll::Ready(());
        };
        let Poll::Ready(end) = pending.poll(cx) else {
            return Poll::Pending;
        };
        if !end.returned.is_empty() {
            drop(pending.follow_up().emit(end.returned));
        }
        let awaiting = pending.awaiting.take();
        self.pending = None;
        if let Some(completion) = awaiting {
            completion.done(end.result);
        }
        Poll::Ready(())
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
