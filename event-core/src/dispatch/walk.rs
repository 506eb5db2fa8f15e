//! The second loop: every step of an emission is looked at.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

use crate::bus::Inner;
use crate::delivery::Flights;
use crate::delivery::lane::{Offer, Origin};
use crate::delivery::room::{self, Room};
use crate::dispatch::Queue;
use crate::dispatch::context::{Delivery, Handed};
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded, panic_message};
use crate::dispatch::stack::{Frame, SUBSCRIPTION, Stack};
use crate::dispatch::table::{Call, Cell, Payload, Sub};
use crate::event::Event;
use crate::interceptor::{self, Attempt, Emitted};
use crate::listener::ListenerInfo;
use crate::listener::hear::AsyncFn;
use crate::listener::returns::{Effects, Step};

/// One emission on its way through its listeners.
pub(crate) struct Walk<'a, E: Event> {
    pub(crate) bus: &'a Arc<Inner>,
    pub(crate) stack: &'a Stack,
    pub(crate) frame: &'a Frame<'a>,
    pub(crate) payload: Payload<E>,
    pub(crate) emission: Emission,
    pub(crate) queue: &'a mut Queue,
    /// How many linked listeners the event has.
    pub(crate) listeners: usize,
}

impl<E: Event> Walk<'_, E> {
    /// Tells who looks of the emission; how often it is delivered.
    pub(crate) fn announce(&mut self, location: Option<&'static Location<'static>>) -> usize {
        let Some(interceptor) = self.bus.interceptor() else {
            return 1;
        };
        let payload = E::__share().map(|sharing| (sharing.own)(self.payload.share()));
        let (number, copies) = interceptor.emitted(Emitted {
            ops: E::__ops(),
            payload,
            location,
            depth: self.frame.depth(),
            cause: self.frame.cause(),
        });
        self.frame.set_number(number);
        copies
    }

    /// Runs the linked listeners from `first` on; whether the run goes on after them.
    pub(crate) fn linked(&mut self, cell: &Cell, first: usize) -> bool {
        let runs = cell.runs::<E>();
        (first..runs.len()).all(|at| self.one(at as u64, &runs.at(at), &cell.infos[at]))
    }

    /// Runs the subscriptions; whether the run went on to the last.
    pub(crate) fn subscribed(&mut self, subs: &[Arc<Sub>]) -> bool {
        subs.iter()
            .all(|sub| self.one(SUBSCRIPTION | sub.id, &sub.run(), &sub.info))
    }

    fn one(&mut self, at: u64, call: &Call<'_, E>, info: &ListenerInfo) -> bool {
        self.frame.position().set(at);
        let result = match call {
            Call::Plain(f) => self.call(info, || {
                f(self.payload.get());
                Step::Done
            }),
            Call::Bound(f) => {
                let delivery = Delivery {
                    bus: self.bus,
                    ops: E::__ops(),
                    infos: std::slice::from_ref(info),
                    frame: self.frame,
                };
                self.call(info, || f(self.payload.get(), &delivery))
            }
            Call::Async(start, flights) => match self.start(at, info, start, flights) {
                Ok(true) => return true,
                Ok(false) => Ok(Step::Skipped),
                Err(panic) => Err(panic),
            },
            Call::Queue(offer) => {
                let (shared, origin) = (self.payload.share(), self.origin());
                match catch_unwind(AssertUnwindSafe(|| offer(shared, origin))) {
                    Ok(offer) => return self.offered(info, offer),
                    Err(panic) => Err(panic),
                }
            }
        };
        self.record(info, result)
    }

    fn call(&self, info: &ListenerInfo, run: impl Fn() -> Step) -> std::thread::Result<Step> {
        catch_unwind(AssertUnwindSafe(|| match self.bus.interceptor() {
            None => run(),
            Some(interceptor) => interceptor::call(
                &**interceptor,
                &self.attempt(info),
                self.payload.get(),
                &run,
            ),
        }))
    }

    fn attempt(&self, info: &ListenerInfo) -> Attempt {
        Attempt::here(info, self.frame.number(), E::__ops())
    }

    /// Makes an async delivery's future; whether the listener wants it.
    fn start(
        &mut self,
        at: u64,
        info: &ListenerInfo,
        start: &AsyncFn<E>,
        flights: &Arc<Flights>,
    ) -> std::thread::Result<bool> {
        let shared = self.payload.share();
        let (bus, frame, stack) = (self.bus, self.frame, self.stack);
        let common = || {
            let handed = Handed {
                bus: Arc::clone(bus),
                ops: E::__ops(),
                listener: info.clone(),
                depth: frame.depth(),
                cause: frame.cause(),
            };
            (handed, stack.kept_chain())
        };
        let batch = self.emission.batch(E::__ops());
        let place = batch.place(at, info, flights, self.listeners, common);
        let start = || start(shared, place.handed, &mut *place.future);
        let wanted = catch_unwind(AssertUnwindSafe(start))?;
        if wanted {
            if let Some(payload) = self.bus.interceptor().map(|_| self.payload.share()) {
                let attempt = Attempt::here(info, self.frame.number(), E::__ops());
                let payload = E::__share().map(|sharing| (sharing.own)(payload));
                let given = payload.map(|payload| (attempt, payload));
                let given = given.into_iter().collect();
                let future = place.future.take().boxed();
                *place.future = interceptor::future(self.bus, given, future).into();
            }
            place.accept();
        }
        Ok(wanted)
    }

    fn origin(&self) -> Origin {
        Origin {
            own: self.frame.own(),
            ops: E::__ops(),
            depth: self.frame.depth(),
            cause: self.frame.cause(),
        }
    }

    /// Whether the emission is outside of every delivery. Nobody else may wait: it could be for himself.
    fn may_wait(&self) -> bool {
        self.frame.depth() == 1 || self.queue.outside
    }

    fn offered(&mut self, info: &ListenerInfo, offer: Offer) -> bool {
        match offer {
            Offer::Accepted => {
                self.bus.accepted(|| self.attempt(info));
                self.emission.count_queued();
            }
            Offer::Skipped => self.emission.count_skipped(),
            Offer::Absent => {}
            Offer::Refused(kind, message) => {
                let failure = Failure::new(Some(info.clone()), kind, message);
                self.emission.fail(self.bus.report(failure));
            }
            Offer::Full(offer) if self.may_wait() => {
                let room = Room::new(Arc::clone(self.bus), self.attempt(info), offer);
                self.emission.wait_for(room);
            }
            Offer::Full(offer) => {
                return self.offered(info, room::leave(offer, info));
            }
        }
        true
    }

    /// Counts one step; whether the run goes on.
    pub(crate) fn record(
        &mut self,
        info: &ListenerInfo,
        result: std::thread::Result<Step>,
    ) -> bool {
        match result {
            Ok(Step::Done) => self.emission.count_ran(),
            Ok(Step::Skipped) => self.emission.count_skipped(),
            Ok(Step::Absent) => {}
            Ok(Step::Stopped) => {
                self.emission.stop(info);
                return false;
            }
            Ok(Step::More(effects)) => return self.record_effects(info, *effects),
            Err(panic) => {
                let kind = if self.stack.take_condition() {
                    FailureKind::Condition
                } else {
                    FailureKind::Panic
                };
                let failure = Failure::new(Some(info.clone()), kind, panic_message(panic));
                self.emission.fail(self.bus.report(failure));
            }
        }
        true
    }

    fn record_effects(&mut self, info: &ListenerInfo, effects: Effects) -> bool {
        if let Some(error) = effects.error {
            let failure = Failure::error(info.clone(), error);
            self.emission.fail(self.bus.report(failure));
            // The delivery is counted; what it would have emitted may still panic on its way out.
            if let Err(message) = drop_guarded(effects.events) {
                self.bus.tell_drop(Some(info), "what it returned", &message);
            }
            return true;
        }
        self.queue.extend(effects.events, &self.stack.chain());
        if effects.stop {
            self.emission.stop(info);
        } else {
            self.emission.count_ran();
        }
        !effects.stop
    }
}
