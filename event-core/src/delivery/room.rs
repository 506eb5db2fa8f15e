//! A delivery that waits for room in its listener's queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::bus::Inner;
use crate::delivery::lane::{Offer, Wait};
use crate::dispatch::failure::{Failure, FailureKind, panic_message};
use crate::dispatch::report::Report;
use crate::dispatch::stack;
use crate::interceptor::Attempt;
use crate::listener::ListenerInfo;

/// Of an emission that was made outside of every delivery: it may wait, and nobody waits for it meanwhile. Dropped before its end it is reported.
pub(crate) struct Room {
    bus: Arc<Inner>,
    attempt: Attempt,
    /// Until it was accepted or refused.
    offer: Option<Pin<Box<dyn Wait>>>,
}

impl Room {
    pub(crate) fn new(bus: Arc<Inner>, attempt: Attempt, offer: Pin<Box<dyn Wait>>) -> Self {
        Self {
            bus,
            attempt,
            offer: Some(offer),
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, report: &mut Report) -> Poll<()> {
        let Some(waiting) = &mut self.offer else {
            return Poll::Ready(());
        };
        let Poll::Ready(offer) = waiting.as_mut().poll(cx) else {
            if let Some(runtime) = self.bus.runtime() {
                runtime.help(std::ptr::from_ref(self).addr(), cx);
            }
            return Poll::Pending;
        };
        self.offer = None;
        self.count(offer, report);
        Poll::Ready(())
    }

    /// For an emission that is not awaited: parks a plain thread. One that runs tasks may have to make the room itself.
    pub(crate) fn settle(mut self, report: &mut Report) {
        let Some(mut waiting) = self.offer.take() else {
            return;
        };
        let mut said = None;
        if may_park(&self.bus) {
            waiting.linger();
            let waiting = waiting.as_mut();
            self.bus.park(async { said = Some(waiting.await) }, None);
        }
        let offer = said.unwrap_or_else(|| leave(waiting, &self.attempt.listener));
        self.count(offer, report);
    }

    fn count(&self, offer: Offer, report: &mut Report) {
        match offer {
            Offer::Accepted => {
                self.bus.accepted(|| self.attempt.clone());
                report.queued += 1;
            }
            Offer::Skipped => report.skipped += 1,
            Offer::Absent => {}
            Offer::Refused(kind, message) => {
                let failure = Failure::new(Some(self.attempt.listener.clone()), kind, message);
                report.fail(self.bus.report(failure));
            }
            Offer::Full(_) => unreachable!("who waited for room is accepted or refused"),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(waiting) = self.offer.take() else {
            return;
        };
        let listener = &self.attempt.listener;
        let mut message = format!(
            "the queue of `{}` was full, and what waited for room was dropped before there was some",
            listener.id()
        );
        match leave_guarded(waiting) {
            Ok(true) => {}
            // Nobody asked for it meanwhile, but it is in the queue.
            Ok(false) => return self.bus.accepted(|| self.attempt.clone()),
            Err(panic) => message = format!("{message}; dropping the event panicked: {panic}"),
        }
        let failure = Failure::new(Some(listener.clone()), FailureKind::QueueFull, message);
        drop(self.bus.report(failure));
    }
}

fn leave_guarded(mut waiting: Pin<Box<dyn Wait>>) -> Result<bool, String> {
    let left = catch_unwind(AssertUnwindSafe(|| waiting.as_mut().leave()));
    left.map_err(panic_message)
}

/// Has somebody who may not wait leave the line; what the queue says then.
pub(crate) fn leave(waiting: Pin<Box<dyn Wait>>, listener: &ListenerInfo) -> Offer {
    match leave_guarded(waiting) {
        Ok(false) => Offer::Accepted,
        // A panic of the event's own `Drop` adds nothing that could be acted on.
        Ok(true) | Err(_) => full(listener),
    }
}

/// What a full queue says to somebody who may not wait.
fn full(listener: &ListenerInfo) -> Offer {
    Offer::Refused(
        FailureKind::QueueFull,
        format!(
            "the queue of `{}` is full, and to wait here could be for ever; make it larger, say `overflow`, or await the emission outside of every listener",
            listener.id()
        ),
    )
}

fn may_park(bus: &Inner) -> bool {
    #[cfg(feature = "tokio")]
    if tokio::runtime::Handle::try_current().is_ok() {
        return false;
    }
    stack::with(|stack| stack.depth() == 0)
        && !bus.runtime().is_some_and(crate::Runtime::is_current)
}
