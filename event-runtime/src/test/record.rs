//! What happened on a bus, in the order in which it did.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_core::private::{Attempt, CallEnd, Emitted, Interceptor, Step, after, instrument};
use event_core::{Failure, FailureKind, ListenerInfo, Mode, Runtime};

use super::fault::Faults;
use super::replace::Replacement;
use crate::VirtualRuntime;
use crate::sync::lock;

/// One line of the record.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) at: Duration,
    pub(super) what: What,
}

#[derive(Clone)]
pub(super) enum What {
    Emitted {
        number: u64,
        topic: &'static str,
        event: TypeId,
        payload: Option<Arc<dyn Any + Send + Sync>>,
        place: Option<&'static Location<'static>>,
        cause: Option<(u64, Option<ListenerInfo>)>,
    },
    /// A queue took it in.
    Accepted {
        listener: ListenerInfo,
        emission: u64,
    },
    Called {
        listener: ListenerInfo,
        emission: u64,
        ended: Option<(Duration, End)>,
    },
    Failed {
        listener: Option<ListenerInfo>,
        kind: FailureKind,
        message: String,
        /// A call may be of several.
        deliveries: usize,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum End {
    Ran,
    Skipped,
    Failed(String),
    Panicked,
    Dropped,
}

/// The clock that the record tells the time by.
pub(super) enum Clock {
    Virtual(VirtualRuntime),
    /// That of another runtime, from when the bus was built.
    Other(Arc<dyn Runtime>, Instant),
}

/// After this time a clock is seen to go on.
const STEP: Duration = Duration::from_millis(10);

impl Clock {
    pub(super) fn elapsed(&self) -> Duration {
        match self {
            Clock::Virtual(time) => time.elapsed(),
            Clock::Other(runtime, start) => runtime.now().saturating_duration_since(*start),
        }
    }

    /// What a plain function costs that takes this time.
    fn pass(&self, time: Duration) {
        match self {
            Clock::Virtual(runtime) => runtime.pass(time),
            Clock::Other(runtime, _) => sleep(&**runtime, time),
        }
    }
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    /// How many are of runs that were taken.
    taken: usize,
}

/// Blocks the thread until the runtime's clock has gone on by this time. One that stands still is not waited for: the thread that would have to move
/// it may be this one.
fn sleep(runtime: &dyn Runtime, time: Duration) {
    let end = after(runtime.now(), time);
    loop {
        let before = runtime.now();
        let left = end.saturating_duration_since(before);
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(STEP));
        if runtime.now() == before {
            return;
        }
    }
}

/// Keeps the record, and does what the test wants otherwise than the listeners.
pub(super) struct Recorder {
    clock: Clock,
    entries: Mutex<Entries>,
    pub(super) faults: Faults,
    replaced: HashMap<TypeId, Replacement>,
    /// The seed of the order of the listeners.
    pub(super) reordered: Option<u64>,
}

impl Recorder {
    pub(super) fn new(
        clock: Clock,
        replaced: HashMap<TypeId, Replacement>,
        reordered: Option<u64>,
    ) -> Self {
        Self {
            clock,
            entries: Mutex::default(),
            faults: Faults::default(),
            replaced,
            reordered,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// What was recorded since the last taking.
    pub(super) fn run(&self) -> Vec<Entry> {
        let entries = lock(&self.entries);
        entries.all[entries.taken..].to_vec()
    }

    /// What was recorded, also what was taken.
    pub(super) fn all(&self) -> Vec<Entry> {
        lock(&self.entries).all.clone()
    }

    /// What was recorded since the last taking, which is of no later run. In one step: what other threads record meanwhile is of this run or the next.
    pub(super) fn take_run(&self) -> Vec<Entry> {
        let mut entries = lock(&self.entries);
        let to = entries.all.len();
        let from = std::mem::replace(&mut entries.taken, to);
        entries.all[from..].to_vec()
    }

    fn add(&self, what: What) -> usize {
        let at = self.clock.elapsed();
        let entries = &mut lock(&self.entries).all;
        entries.push(Entry { at, what });
        entries.len() - 1
    }
}

impl Interceptor for Recorder {
    fn emitted(&self, emission: Emitted) -> (u64, usize) {
        let copies = self.faults.copies(emission.type_id());
        let (topic, event, place) = (emission.topic(), emission.type_id(), emission.location);
        let cause = emission.cause();
        let at = self.clock.elapsed();
        let entries = &mut lock(&self.entries).all;
        // Its own place is its number.
        let number = entries.len() as u64;
        entries.push(Entry {
            at,
            what: What::Emitted {
                number,
                topic,
                event,
                payload: emission.payload,
                place,
                cause,
            },
        });
        (number, copies)
    }

    fn accepted(&self, attempt: &Attempt) {
        self.add(What::Accepted {
            listener: attempt.listener.clone(),
            emission: attempt.emission,
        });
    }

    fn begun(&self, attempt: &Attempt) -> usize {
        self.add(What::Called {
            listener: attempt.listener.clone(),
            emission: attempt.emission,
            ended: None,
        })
    }

    fn changes(&self, listener: &ListenerInfo) -> bool {
        let key = instrument::key_of(listener);
        key.is_some_and(|key| self.replaced.contains_key(&key) || self.faults.concern(key))
    }

    fn delay(&self, listener: &ListenerInfo) -> Option<Duration> {
        self.faults.delay(instrument::key_of(listener)?)
    }

    fn fault(&self, listener: &ListenerInfo) -> Option<Step> {
        let key = instrument::key_of(listener)?;
        if listener.mode() == Mode::Inline {
            if let Some(time) = self.faults.delay(key) {
                self.clock.pass(time);
            }
        }
        self.faults.strike(key)
    }

    fn instead(&self, attempt: &Attempt, payload: &dyn Any) -> Option<Step> {
        let key = instrument::key_of(&attempt.listener)?;
        (self.replaced.get(&key)?.run)(attempt, payload)
    }

    fn ended(&self, begun: usize, end: CallEnd<'_>) {
        let end = match end {
            CallEnd::Ran => End::Ran,
            CallEnd::Skipped => End::Skipped,
            CallEnd::Panicked => End::Panicked,
            CallEnd::Dropped => End::Dropped,
            CallEnd::Failed(error) => {
                // An error's `Display` is code of the user's.
                let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
                End::Failed(text.unwrap_or_else(|_| "an error whose `Display` panics".to_owned()))
            }
        };
        let at = self.clock.elapsed();
        if let What::Called { ended, .. } = &mut lock(&self.entries).all[begun].what {
            *ended = Some((at, end));
        }
    }

    fn failed(&self, failure: &Failure, deliveries: usize) {
        self.add(What::Failed {
            listener: failure.listener().cloned(),
            kind: failure.kind(),
            message: failure.message().to_owned(),
            deliveries,
        });
    }
}
