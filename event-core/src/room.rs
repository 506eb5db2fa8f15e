//! A delivery that waits for room in its listener's queue.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::bus::Inner;
use crate::failure::{Failure, FailureKind};
use crate::interceptor::Attempt;
use crate::lane::{Offer, Wait};
use crate::listener::ListenerInfo;
use crate::report::Report;
use crate::stack;

/// Of an emission that was made outside of every delivery: it may wait, and nobody waits for it meanwhile.
pub(crate) struct Room {
    pub(crate) bus: Arc<Inner>,
    pub(crate) attempt: Attempt,
    pub(crate) offer: Pin<Box<dyn Wait>>,
}

impl Room {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, report: &mut Report) -> Poll<()> {
        let Poll::Ready(offer) = self.offer.as_mut().poll(cx) else {
            if let Some(runtime) = self.bus.runtime() {
                runtime.help(std::ptr::from_ref(self).addr(), cx);
            }
            return Poll::Pending;
        };
        self.count(offer, report);
        Poll::Ready(())
    }

    /// For an emission that is not awaited: parks a plain thread. One that runs tasks may have to make the room itself.
    pub(crate) fn settle(mut self, report: &mut Report) {
        let mut said = None;
        if may_park(&self.bus) {
            self.offer.linger();
            let offer = self.offer.as_mut();
            self.bus.park(async { said = Some(offer.await) }, None);
        }
        let offer = said.unwrap_or_else(|| full(&self.attempt.listener));
        self.count(offer, report);
    }

    fn count(&self, offer: Offer, report: &mut Report) {
        match offer {
            Offer::Accepted => {
                self.bus.accepted(|| self.attempt.clone());
                report.queued += 1;
            }
            Offer::Skipped => report.skipped += 1,
            Offer::Refused(kind, message) => {
                let failure = Failure::new(Some(self.attempt.listener.clone()), kind, message);
                report.fail(self.bus.report(failure));
            }
            Offer::Full(_) => unreachable!("who waited for room is accepted or refused"),
        }
    }
}

/// What a full queue says to somebody who may not wait.
pub(crate) fn full(listener: &ListenerInfo) -> Offer {
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
