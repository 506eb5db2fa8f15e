//! The way of an event through its listeners.
//!
//! Two loops do the same thing. The first runs tables of inline listeners and keeps everything in registers; it leaves as soon as
//! something happens that is not the plain case. The second looks at every step and takes over from there.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::bus::Inner;
use crate::context::{Delivery, Handed};
use crate::delivery::Pending;
use crate::emission::Emission;
use crate::event::{Event, Unheard};
use crate::failure::{FailureKind, panic_message};
use crate::listener::ListenerInfo;
use crate::overlay::{INLINE, NOBODY};
use crate::returns::{Effects, Returned, Step};
use crate::stack::{self, Entry, Frame, SUBSCRIPTION, Stack};
use crate::table::{Cell, Payload, Run, Sub, Table};

/// Events that listeners returned, each with the emissions that led to it.
#[doc(hidden)]
#[derive(Default)]
pub struct Queue(VecDeque<(Box<dyn Returned>, Vec<Entry>)>);

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Queue({})", self.0.len())
    }
}

impl Queue {
    pub(crate) fn extend(&mut self, events: Vec<Box<dyn Returned>>, chain: &[Entry]) {
        self.0.extend(events.into_iter().map(|event| (event, chain.to_vec())));
    }

    /// Emits what is queued and what that returns, oldest first. Deliveries still to be made are left with `emission`.
    pub(crate) fn drain(mut self, bus: &Arc<Inner>, emission: &mut Emission) {
        while let Some((event, chain)) = self.0.pop_front() {
            emission.adopt(event.emit(bus, &chain, &mut self));
        }
    }
}

/// How the first loop ended.
enum Halt {
    /// At the end of the table.
    End,
    /// Behind a listener whose step is not plain.
    After(Step),
    /// Before a listener that the first loop does not run.
    Before,
}

impl Inner {
    #[inline]
    pub(crate) fn emit<E: Event>(self: &Arc<Self>, event: E) -> Emission {
        let Some(cell) = E::__slot().and_then(|slot| self.cells.get(slot.index())) else {
            return self.emit_unplaced(event);
        };
        match cell.flag.mode() {
            NOBODY => Emission::nothing(),
            INLINE => match cell.table::<E>() {
                Some(table) => self.emit_inline(table, event),
                None => Emission::nothing(),
            },
            _ => self.emit_full(cell, event),
        }
    }

    #[inline]
    fn emit_inline<E: Event>(self: &Arc<Self>, table: &Table<E>, event: E) -> Emission {
        stack::with(|stack| {
            let Some(frame) = stack.enter(self.id, E::__ops()) else {
                return self.too_deep::<E>(stack);
            };
            let skipped = std::cell::Cell::new(0);
            let delivery = Delivery { bus: self, ops: E::__ops(), infos: &table.infos, first: 0, frame: &frame };
            let caught = catch_unwind(AssertUnwindSafe(|| run_inline(&table.runs, &event, &delivery, &skipped)));
            if let Ok(Halt::End) = caught {
                frame.leave();
                let emission = Emission::ran(table.runs.len(), skipped.get());
                return if std::mem::needs_drop::<E>() { self.drop_payload(event, emission) } else { emission };
            }
            self.take_over(stack, frame, table, event, skipped.get(), caught)
        })
    }

    /// What the first loop leaves: its listener's step or panic, and the listeners after it.
    #[inline(never)]
    fn take_over<E: Event>(
        self: &Arc<Self>,
        stack: &Stack,
        frame: Frame<'_>,
        table: &Table<E>,
        event: E,
        skipped: u32,
        caught: std::thread::Result<Halt>,
    ) -> Emission {
        let at = frame.at();
        let mut queue = Queue::default();
        let mut walk = Walk { bus: self, stack, frame: &frame, payload: Payload::Own(event), emission: Emission::ran(at, skipped), queue: &mut queue };
        let next = match caught {
            Ok(Halt::Before) => Some(at),
            Ok(Halt::End) => None,
            Ok(Halt::After(step)) => walk.record(&table.infos[at], Ok(step)).then_some(at + 1),
            Err(panic) => walk.record(&table.infos[at], Err(panic)).then_some(at + 1),
        };
        if let Some(next) = next {
            walk.linked(table, next);
        }
        let (mut emission, payload) = (walk.emission, walk.payload);
        frame.leave();
        emission = self.drop_payload(payload, emission);
        queue.drain(self, &mut emission);
        emission
    }

    /// An emission of which every step is looked at.
    #[inline(never)]
    fn emit_full<E: Event>(self: &Arc<Self>, cell: &Cell, event: E) -> Emission {
        let mut queue = Queue::default();
        let mut emission = stack::with(|stack| self.deliver(stack, cell, event, &mut queue));
        queue.drain(self, &mut emission);
        emission
    }

    /// An event of a generic type, or one that the linker did not bring.
    #[inline(never)]
    fn emit_unplaced<E: Event>(self: &Arc<Self>, event: E) -> Emission {
        match self.generic_cell::<E>() {
            Ok(cell) => self.emit_full(&cell, event),
            Err(failure) => Emission::failed(self.report(failure)),
        }
    }

    /// An event that a listener returned: its own returned events join the queue that it came from.
    pub(crate) fn emit_queued<E: Event>(self: &Arc<Self>, event: E, chain: &[Entry], queue: &mut Queue) -> Emission {
        stack::with(|stack| {
            let _resumed = stack.resume(chain);
            match E::__slot().and_then(|slot| self.cells.get(slot.index())) {
                Some(cell) => self.deliver(stack, cell, event, queue),
                None => match self.generic_cell::<E>() {
                    Ok(cell) => self.deliver(stack, &cell, event, queue),
                    Err(failure) => Emission::failed(self.report(failure)),
                },
            }
        })
    }

    fn deliver<E: Event>(self: &Arc<Self>, stack: &Stack, cell: &Cell, event: E, queue: &mut Queue) -> Emission {
        let table = cell.table::<E>().expect("a slot's cell holds its event's table");
        let Some(frame) = stack.enter(self.id, E::__ops()) else {
            return self.too_deep::<E>(stack);
        };
        let overlay = table.overlay.load();
        let mut walk = Walk { bus: self, stack, frame: &frame, payload: Payload::Own(event), emission: Emission::nothing(), queue };
        if walk.linked(table, 0) {
            walk.subscribed(&overlay);
        }
        let (emission, payload) = (walk.emission, walk.payload);
        frame.leave();
        let emission = self.drop_payload(payload, emission);
        self.check_heard::<E>(emission)
    }

    /// Ends the payload's life; its `Drop` is code of the user's like any listener.
    fn drop_payload<T>(self: &Arc<Self>, payload: T, mut emission: Emission) -> Emission {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            let message = format!("dropping the event panicked: {}", panic_message(panic));
            emission.fail(self.report(crate::Failure::new(None, FailureKind::Panic, message)));
        }
        emission
    }

    #[cold]
    fn too_deep<E: Event>(self: &Arc<Self>, stack: &Stack) -> Emission {
        let message = format!(
            "`{}` would be the emission number {} inside each other; the chain: {}",
            E::TOPIC,
            stack.depth() + 1,
            stack.describe()
        );
        Emission::failed(self.report(crate::Failure::new(None, FailureKind::Depth, message)))
    }

    fn check_heard<E: Event>(self: &Arc<Self>, mut emission: Emission) -> Emission {
        let info = E::__info();
        if info.unheard() != Unheard::Ignore && !emission.reached() {
            let message = format!("nobody heard `{}`, declared at {}", E::TOPIC, info.location());
            if info.unheard() == Unheard::Error {
                emission.fail(self.report(crate::Failure::new(None, FailureKind::Unheard, message)));
            } else {
                self.warn_unheard(E::TOPIC, &message);
            }
        }
        emission
    }
}

/// The plain case: no step but `Done` and `Skipped`, nothing handed over.
#[inline]
fn run_inline<E: Event>(runs: &[Run<E>], event: &E, delivery: &Delivery<'_>, skipped: &std::cell::Cell<u32>) -> Halt {
    for (at, run) in runs.iter().enumerate() {
        delivery.frame.set(at as u64);
        match run {
            Run::Plain(f) => f(event),
            Run::Bound(f) => match f(event, delivery) {
                Step::Done => {}
                Step::Skipped => skipped.set(skipped.get() + 1),
                step => return Halt::After(step),
            },
            Run::Async(_) => return Halt::Before,
        }
    }
    Halt::End
}

/// The second loop.
struct Walk<'a, E: Event> {
    bus: &'a Arc<Inner>,
    stack: &'a Stack,
    frame: &'a Frame<'a>,
    payload: Payload<E>,
    emission: Emission,
    queue: &'a mut Queue,
}

impl<E: Event> Walk<'_, E> {
    /// Runs the linked listeners from `first` on; whether the run goes on after them.
    fn linked(&mut self, table: &Table<E>, first: usize) -> bool {
        (first..table.runs.len()).all(|at| self.one(at as u64, &table.runs[at], &table.infos[at]))
    }

    fn subscribed(&mut self, subs: &[Arc<Sub<E>>]) -> bool {
        subs.iter().all(|sub| self.one(SUBSCRIPTION | sub.id, &sub.run, &sub.info))
    }

    fn one(&mut self, at: u64, run: &Run<E>, info: &ListenerInfo) -> bool {
        self.frame.set(at);
        let result = match run {
            Run::Plain(f) => catch_unwind(AssertUnwindSafe(|| {
                f(self.payload.get());
                Step::Done
            })),
            Run::Bound(f) => {
                let delivery = Delivery {
                    bus: self.bus,
                    ops: E::__ops(),
                    infos: std::slice::from_ref(info),
                    first: self.frame.at(),
                    frame: self.frame,
                };
                catch_unwind(AssertUnwindSafe(|| f(self.payload.get(), &delivery)))
            }
            Run::Async(start) => {
                let shared = self.payload.share();
                let handed = Handed {
                    bus: Arc::clone(self.bus),
                    ops: E::__ops(),
                    listener: info.clone(),
                    depth: self.frame.depth(),
                    cause: self.frame.cause(),
                };
                match catch_unwind(AssertUnwindSafe(|| start(shared, handed.clone()))) {
                    Ok(Some(future)) => {
                        self.emission.hand_over(Pending::new(handed, self.stack.chain(), future));
                        return true;
                    }
                    Ok(None) => Ok(Step::Skipped),
                    Err(panic) => Err(panic),
                }
            }
        };
        self.record(info, result)
    }

    /// Counts one step; whether the run goes on.
    fn record(&mut self, info: &ListenerInfo, result: std::thread::Result<Step>) -> bool {
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
                let kind = if self.stack.take_condition() { FailureKind::Condition } else { FailureKind::Panic };
                let failure = crate::Failure::new(Some(info.clone()), kind, panic_message(panic));
                self.emission.fail(self.bus.report(failure));
            }
        }
        true
    }

    fn record_effects(&mut self, info: &ListenerInfo, effects: Effects) -> bool {
        if let Some(error) = effects.error {
            self.emission.fail(self.bus.report(crate::Failure::error(info.clone(), error)));
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
