//! The way of an event through its listeners.
//!
//! Two loops do the same thing. The first runs tables of inline listeners and keeps everything in registers; it leaves as soon as
//! something happens that is not the plain case. The second looks at every step and takes over from there.

pub(crate) mod any_event;
pub(crate) mod context;
pub(crate) mod emission;
pub(crate) mod failure;
mod loops;
pub(crate) mod report;
pub(crate) mod stack;
pub(crate) mod table;
pub(crate) mod walk;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

use loops::{Halt, run_bound, run_mixed, run_plain};

use crate::bus::Inner;
use crate::bus::overlay::{FULL, INLINE, NOBODY, PLAIN};
use crate::dispatch::context::Delivery;
use crate::dispatch::emission::Emission;
use crate::dispatch::failure::{Failure, FailureKind, drop_guarded};
use crate::dispatch::stack::{Entry, Frame, Stack};
use crate::dispatch::table::{Cell, Payload, Runs};
use crate::dispatch::walk::Walk;
use crate::event::{Event, Unheard};
use crate::listener::returns::Returned;

/// Events that listeners returned, each with the emissions that led to it.
#[doc(hidden)]
#[derive(Default)]
pub struct Queue {
    events: VecDeque<(Box<dyn Returned>, Vec<Entry>)>,
    /// They were returned outside of every delivery that is still under way, so whoever emits them may wait.
    pub(crate) outside: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Queue({})", self.events.len())
    }
}

impl Queue {
    pub(crate) fn extend(&mut self, events: Vec<Box<dyn Returned>>, chain: &[Entry]) {
        self.events
            .extend(events.into_iter().map(|event| (event, chain.to_vec())));
    }

    /// Emits what is queued and what that returns, oldest first. Deliveries still to be made are left with `emission`.
    #[inline]
    pub(crate) fn drain(self, bus: &Arc<Inner>, emission: &mut Emission) {
        if !self.events.is_empty() {
            self.drain_all(bus, emission);
        }
    }

    #[inline(never)]
    fn drain_all(mut self, bus: &Arc<Inner>, emission: &mut Emission) {
        while let Some((event, chain)) = self.events.pop_front() {
            emission.adopt(bus, event.emit(bus, &chain, &mut self));
        }
    }
}

/// How one of the modes ended.
enum Ended {
    Clean {
        index: usize,
    },
    Early {
        index: usize,
        caught: std::thread::Result<Halt>,
    },
    TooDeep,
}

impl Inner {
    /// The plain mode is here and not behind a call, which would cost as much as half of it.
    #[expect(clippy::inline_always, reason = "a seventh faster for one listener")]
    #[inline(always)]
    #[track_caller]
    pub(crate) fn emit<E: Event>(self: &Arc<Self>, event: E) -> Emission {
        if let Some(slot) = E::__slot() {
            if let Some(cell) = self.cells.get(slot.index().get()) {
                match cell.flag.mode() {
                    NOBODY if !std::mem::needs_drop::<E>() => return Emission::nothing(),
                    PLAIN => {
                        if let Some(functions) = slot.functions() {
                            return self.emit_plain(functions, event);
                        }
                    }
                    INLINE => return self.emit_bound(cell, event),
                    _ => {}
                }
            }
        }
        self.emit_other(event, Location::caller())
    }

    /// For who knows the place better than the compiler.
    pub(crate) fn emit_from<E: Event>(
        self: &Arc<Self>,
        event: E,
        location: &'static Location<'static>,
    ) -> Emission {
        match self.cell_of(E::__ops()).map(|cell| cell.flag.mode()) {
            Some(FULL) | None => self.emit_other(event, location),
            Some(_) => self.emit(event),
        }
    }

    /// The modes that are not a matter of a few instructions.
    #[inline(never)]
    fn emit_other<E: Event>(
        self: &Arc<Self>,
        event: E,
        location: &'static Location<'static>,
    ) -> Emission {
        match self.cell_of(E::__ops()) {
            Some(cell) if cell.flag.mode() == NOBODY => self.drop_unheard(event),
            Some(cell) => self.emit_full(cell, event, location),
            None => self.emit_unplaced(event, location),
        }
    }

    #[expect(clippy::inline_always, reason = "see `emit`")]
    #[inline(always)]
    fn emit_plain<E: Event>(self: &Arc<Self>, functions: &[fn(&E)], event: E) -> Emission {
        self.emit_inline(functions.len(), event, |frame, event, _| {
            run_plain(functions, event, frame.position());
            Halt::End
        })
    }

    #[inline(never)]
    fn emit_bound<E: Event>(self: &Arc<Self>, cell: &Cell, event: E) -> Emission {
        let runs = cell.runs::<E>();
        self.emit_inline(runs.len(), event, |frame, event, skipped| {
            let delivery = Delivery {
                bus: self,
                ops: E::__ops(),
                infos: &cell.infos,
                frame,
            };
            match runs {
                Runs::Bound(list) => run_bound(list, event, &delivery, skipped),
                Runs::Mixed(list) => run_mixed(list, event, &delivery, skipped),
            }
        })
    }

    /// Runs one of the first loops between entering and leaving the stack.
    ///
    /// Listeners get the event's address, and what stands beside it in a closure would have to be in memory too; so the closures only borrow it.
    #[inline]
    fn emit_inline<E: Event>(
        self: &Arc<Self>,
        listeners: usize,
        event: E,
        run: impl FnOnce(&Frame<'_>, &E, &std::cell::Cell<u32>) -> Halt,
    ) -> Emission {
        let skipped = std::cell::Cell::new(0);
        let ended = stack::with(|stack| {
            let Some(frame) = stack.enter(self.id, E::__ops()) else {
                return Ended::TooDeep;
            };
            let index = frame.index();
            match catch_unwind(AssertUnwindSafe(|| run(&frame, &event, &skipped))) {
                Ok(Halt::End) => {
                    if !std::mem::needs_drop::<E>() {
                        stack.leave(index);
                    }
                    Ended::Clean { index }
                }
                caught => Ended::Early { index, caught },
            }
        });
        match ended {
            Ended::Clean { index } => {
                let emission = Emission::ran(listeners, skipped.get());
                if std::mem::needs_drop::<E>() {
                    // The event ends inside its emission: what its `Drop` emits is one level deeper.
                    stack::with(|stack| {
                        let _frame = stack.hold(index);
                        self.drop_payload(event, emission)
                    })
                } else {
                    emission
                }
            }
            Ended::Early { index, caught } => self.take_over(index, event, skipped.get(), caught),
            Ended::TooDeep => self.too_deep(event),
        }
    }

    /// What the first loop leaves: its listener's step or panic, and the listeners after it.
    #[cold]
    #[inline(never)]
    fn take_over<E: Event>(
        self: &Arc<Self>,
        index: usize,
        event: E,
        skipped: u32,
        caught: std::thread::Result<Halt>,
    ) -> Emission {
        let cell = self
            .cell_of(E::__ops())
            .expect("the first loop found it too");
        let mut queue = Queue::default();
        let mut emission = stack::with(|stack| {
            let frame = stack.hold(index);
            let at = frame.at();
            let mut walk = Walk {
                bus: self,
                stack,
                frame: &frame,
                payload: Payload::Own(event),
                emission: Emission::ran(at, skipped),
                queue: &mut queue,
                listeners: cell.infos.len(),
            };
            let next = match caught {
                Ok(Halt::End) => None,
                Ok(Halt::After(step)) => walk.record(&cell.infos[at], Ok(step)).then_some(at + 1),
                Err(panic) => walk.record(&cell.infos[at], Err(panic)).then_some(at + 1),
            };
            if let Some(next) = next {
                walk.linked(cell, next);
            }
            let (emission, payload) = (walk.emission, walk.payload);
            self.drop_payload(payload, emission)
        });
        queue.outside = stack::with(|stack| stack.depth() == 0);
        queue.drain(self, &mut emission);
        emission
    }

    /// An emission of which every step is looked at.
    fn emit_full<E: Event>(
        self: &Arc<Self>,
        cell: &Cell,
        event: E,
        location: &'static Location<'static>,
    ) -> Emission {
        let mut queue = Queue::default();
        let place = Some(location);
        let mut emission = stack::with(|stack| self.deliver(stack, cell, event, place, &mut queue));
        queue.outside = stack::with(|stack| stack.depth() == 0);
        queue.drain(self, &mut emission);
        emission
    }

    /// An event of a generic type, or one that the linker did not bring.
    fn emit_unplaced<E: Event>(
        self: &Arc<Self>,
        event: E,
        location: &'static Location<'static>,
    ) -> Emission {
        let generic = self.generic_of::<E>();
        let mut emission = self.emit_full(&generic.cell, event, location);
        self.tell_refused::<E>(&generic, &mut emission);
        emission
    }

    /// An event that a listener returned: its own returned events join the queue that it came from.
    pub(crate) fn emit_queued<E: Event>(
        self: &Arc<Self>,
        event: E,
        chain: &[Entry],
        queue: &mut Queue,
    ) -> Emission {
        stack::with(|stack| {
            let _resumed = stack.resume(chain);
            if let Some(cell) = self.cell_of(E::__ops()) {
                return self.deliver(stack, cell, event, None, queue);
            }
            let generic = self.generic_of::<E>();
            let mut emission = self.deliver(stack, &generic.cell, event, None, queue);
            self.tell_refused::<E>(&generic, &mut emission);
            emission
        })
    }

    fn deliver<E: Event>(
        self: &Arc<Self>,
        stack: &Stack,
        cell: &Cell,
        event: E,
        location: Option<&'static Location<'static>>,
        queue: &mut Queue,
    ) -> Emission {
        if self.work.refuses(|| stack.stands_on(self.id)) {
            return self.closed(event);
        }
        let Some(frame) = stack.enter(self.id, E::__ops()) else {
            return self.too_deep(event);
        };
        let frame = stack.hold_fresh(frame.index());
        let overlay = cell.overlay.of_now(&cell.flag);
        let mut walk = Walk {
            bus: self,
            stack,
            frame: &frame,
            payload: Payload::Own(event),
            emission: Emission::nothing(),
            queue,
            listeners: cell.infos.len(),
        };
        for _ in 0..walk.announce(location) {
            if walk.linked(cell, 0) {
                if let Some(overlay) = &overlay {
                    walk.subscribed(overlay);
                }
            }
        }
        let (emission, payload) = (walk.emission, walk.payload);
        let emission = self.drop_payload(payload, emission);
        // The last holder of closures that were taken out meanwhile.
        let emission = match overlay {
            Some(overlay) => self.drop_caught("a subscription's closure", overlay, emission),
            None => emission,
        };
        drop(frame);
        self.check_heard::<E>(emission)
    }

    fn drop_unheard<E: Event>(self: &Arc<Self>, event: E) -> Emission {
        stack::with(|stack| {
            let Some(frame) = stack.enter(self.id, E::__ops()) else {
                return self.too_deep(event);
            };
            let _frame = stack.hold_fresh(frame.index());
            self.drop_payload(event, Emission::nothing())
        })
    }

    /// Ends the payload's life.
    fn drop_payload<T>(self: &Arc<Self>, payload: T, emission: Emission) -> Emission {
        self.drop_caught("the event", payload, emission)
    }

    /// Drops what is the user's: its `Drop` is code like any listener.
    fn drop_caught<T>(self: &Arc<Self>, what: &str, value: T, mut emission: Emission) -> Emission {
        if let Err(message) = drop_guarded(value) {
            let message = format!("dropping {what} panicked: {message}");
            emission.fail(self.report(Failure::new(None, FailureKind::Panic, message)));
        }
        emission
    }

    #[cold]
    fn closed<E: Event>(self: &Arc<Self>, event: E) -> Emission {
        let message = format!("`{}` was emitted after the bus was shut down", E::TOPIC);
        let failure = Failure::new(None, FailureKind::Closed, message);
        self.drop_payload(event, Emission::failed(self.report(failure)))
    }

    #[cold]
    fn too_deep<E: Event>(self: &Arc<Self>, event: E) -> Emission {
        stack::with(|stack| {
            let message = format!(
                "`{}` would be the emission number {} inside each other; the chain: {}",
                E::TOPIC,
                stack.depth() + 1,
                stack.describe()
            );
            let failure = Failure::new(None, FailureKind::Depth, message);
            let emission = Emission::failed(self.report(failure));
            if stack.set_refusing(true) {
                // A refused event's `Drop` emitted this one. Its own could do the same without end, so it is not run.
                std::mem::forget(event);
                return emission;
            }
            let emission = self.drop_payload(event, emission);
            stack.set_refusing(false);
            emission
        })
    }

    fn check_heard<E: Event>(self: &Arc<Self>, mut emission: Emission) -> Emission {
        let info = E::__info();
        if info.unheard() != Unheard::Ignore && !emission.reached() {
            let message = format!(
                "nobody heard `{}`, declared at {}",
                E::TOPIC,
                info.location()
            );
            if info.unheard() == Unheard::Error {
                emission.fail(self.report(Failure::new(None, FailureKind::Unheard, message)));
            } else {
                self.warn_unheard(E::TOPIC, &message);
            }
        }
        emission
    }
}
