//! The async deliveries of one emission before they begin, and their first polls in the awaiting task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{End, Flights, FollowUp, Pending};
use crate::bus::Inner;
use crate::bus::work::{Lease, Work};
use crate::delivery::future_slot::FutureSlot;
use crate::dispatch::context::Handed;
use crate::dispatch::failure::panic_message;
use crate::dispatch::report::Report;
use crate::dispatch::stack::{self, Chain};
use crate::listener::ListenerInfo;
use crate::listener::returns::{Returned, Step};

/// The async deliveries of one emission that have not begun. What they have in common is here once.
#[derive(Default)]
pub(crate) struct Batch {
    common: Option<Common>,
    /// Those after the first `len` are empty places of an emission before.
    deliveries: Vec<Delivery>,
    begun: usize,
    len: usize,
}

struct Common {
    /// That of the delivery that came last.
    handed: Handed,
    chain: Chain,
}

struct Delivery {
    whose: Whose,
    future: FutureSlot,
}

/// The listener.
struct Whose {
    at: u64,
    listener: ListenerInfo,
    flights: Arc<Flights>,
}

/// One delivery that is being made.
pub(crate) struct Place<'a> {
    pub(crate) handed: &'a Handed,
    pub(crate) future: &'a mut FutureSlot,
    len: &'a mut usize,
}

impl Place<'_> {
    /// The future in the place is to be run.
    pub(crate) fn accept(self) {
        *self.len += 1;
    }
}

/// What came of a round of polls.
pub(crate) struct Round<'a> {
    pub(crate) report: &'a mut Report,
    /// Deliveries that go on.
    pub(crate) pending: &'a mut Vec<Pending>,
    pub(crate) returned: Vec<(FollowUp, Vec<Box<dyn Returned>>)>,
}

impl Round<'_> {
    /// Counts a delivery that ended.
    pub(crate) fn ended(&mut self, delivery: &mut Pending, end: End) {
        self.report.count_ended(end.result);
        if !end.returned.is_empty() {
            // Emitted only after this round: every listener of the event has been started by then.
            self.returned.push((delivery.follow_up(), end.returned));
        }
    }
}

impl Common {
    /// A delivery that goes its own way from here.
    fn pending(&self, whose: &Whose, future: &mut FutureSlot) -> Pending {
        let common = &self.handed;
        let handed = Handed {
            bus: Arc::clone(&common.bus),
            ops: common.ops,
            listener: whose.listener.clone(),
            depth: common.depth,
            cause: common.cause,
        };
        let chain = self.chain.at(whose.at);
        Pending::new(handed, chain, future.take(), &whose.flights)
    }
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.begun == self.len
    }

    pub(crate) fn len(&self) -> usize {
        self.len - self.begun
    }

    pub(crate) fn bus(&self) -> Option<&Arc<Inner>> {
        self.common.as_ref().map(|common| &common.handed.bus)
    }

    /// The place for the future of one more delivery; the event has `expected` listeners.
    pub(crate) fn place(
        &mut self,
        at: u64,
        listener: &ListenerInfo,
        flights: &Arc<Flights>,
        expected: usize,
        common: impl FnOnce() -> (Handed, Chain),
    ) -> Place<'_> {
        if self.len == self.deliveries.len() {
            if self.deliveries.capacity() == 0 {
                self.deliveries.reserve_exact(expected);
            }
            self.deliveries.push(Delivery {
                whose: Whose {
                    at,
                    listener: listener.clone(),
                    flights: Arc::clone(flights),
                },
                future: FutureSlot::default(),
            });
        } else {
            let whose = &mut self.deliveries[self.len].whose;
            whose.at = at;
            // A listener's flights are its own.
            if !Arc::ptr_eq(&whose.flights, flights) {
                whose.listener = listener.clone();
                whose.flights = Arc::clone(flights);
            }
        }
        let common = self.common.get_or_insert_with(|| {
            let (handed, chain) = common();
            Common { handed, chain }
        });
        common.handed.listener = listener.clone();
        Place {
            handed: &common.handed,
            future: &mut self.deliveries[self.len].future,
            len: &mut self.len,
        }
    }

    /// The next delivery, to go its own way.
    pub(crate) fn next(&mut self) -> Option<Pending> {
        let common = self.common.as_ref()?;
        let Delivery { whose, future } = self.deliveries[..self.len].get_mut(self.begun)?;
        self.begun += 1;
        Some(common.pending(whose, future))
    }

    /// Begins all deliveries in the task that awaits them. One that is ready at once needs no turn, no clock and no lease of its own.
    pub(crate) fn first_polls(&mut self, cx: &mut Context<'_>, round: &mut Round<'_>) {
        let Some(common) = &self.common else {
            return;
        };
        let bus = &common.handed.bus;
        let plain = bus.work.is_open() && bus.interceptor().is_none();
        // Until its deliveries have leases of their own.
        let _open = bus.work.hold();
        stack::with(|stack| {
            let mut resumed = None;
            while self.begun < self.len {
                let Delivery { whose, future } = &mut self.deliveries[self.begun];
                self.begun += 1;
                let first = plain.then(|| whose.flights.first_poll()).flatten();
                let Some(first) = first else {
                    drop(resumed.take());
                    let mut pending = common.pending(whose, future);
                    match pending.poll(cx) {
                        Poll::Ready(end) => round.ended(&mut pending, end),
                        Poll::Pending => round.pending.push(pending),
                    }
                    continue;
                };
                resumed.get_or_insert_with(|| stack.resume(common.chain.entries()));
                stack.set_at(whose.at);
                let mut step = None;
                let poll = || future.poll_into(cx, &mut step);
                let polled = catch_unwind(AssertUnwindSafe(poll)).map_err(panic_message);
                if let (Ok(()), Some(Step::Done)) = (&polled, &step) {
                    // There is nothing in it, and the compiler need not look.
                    std::mem::forget(step);
                    round.report.ran += 1;
                    continue;
                }
                match (polled, step) {
                    (Ok(()), None) => {
                        let now = bus.now();
                        let turn = first.stay(&whose.flights, now, cx.waker().clone());
                        let mut pending = common.pending(whose, future);
                        match pending.go_on(turn, Work::lease(&bus.work)) {
                            Some(end) => round.ended(&mut pending, end),
                            None => round.pending.push(pending),
                        }
                    }
                    (polled, step) => {
                        let (result, dropped) = match step {
                            Some(step) => (Ok(step), polled),
                            None => (polled.map(|()| Step::Done), clear(future)),
                        };
                        drop(first);
                        let mut pending = common.pending(whose, future);
                        let end = pending.end_first_poll(result, dropped, &bus.work);
                        round.ended(&mut pending, end);
                    }
                }
            }
        });
    }

    /// Makes it one for another emission of the same event, with the places for the futures.
    pub(crate) fn empty(&mut self) {
        while let Some(left) = self.next() {
            drop(left);
        }
        self.common = None;
        (self.begun, self.len) = (0, 0);
    }

    pub(crate) fn keep_at_most(&mut self, places: usize) {
        self.deliveries.truncate(places);
    }
}

fn clear(future: &mut FutureSlot) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| future.clear())).map_err(panic_message)
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Each of them reports itself.
        self.empty();
    }
}

impl Pending {
    /// Goes on after a first poll that was not its last; its end if it was given up meanwhile.
    fn go_on(&mut self, turn: Option<super::Turn>, lease: Lease) -> Option<End> {
        self.lease = Some(lease);
        self.turn = turn;
        self.turn.is_none().then(|| End {
            result: self.end_given_up(),
            returned: Vec::new(),
        })
    }

    /// Ends with the first poll.
    fn end_first_poll(
        &mut self,
        result: Result<Step, String>,
        dropped: Result<(), String>,
        work: &Arc<Work>,
    ) -> End {
        self.lease = Some(Work::lease(work));
        self.conclude(result, dropped)
    }
}
