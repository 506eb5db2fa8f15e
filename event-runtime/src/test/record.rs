//! What happened on a bus, in the order in which it did.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_core::private::{Attempt, CallEnd, Emitted, Interceptor, Step, instrument};
use event_core::{Failure, FailureKind, ListenerInfo, Mode};

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
    Real(Instant),
}

impl Clock {
    pub(super) fn elapsed(&self) -> Duration {
        match self {
            Clock::Virtual(time) => time.elapsed(),
            Clock::Real(start) => start.elapsed(),
        }
    }

    /// What a plain function costs that takes this time.
    fn pass(&self, time: Duration) {
        match self {
            Clock::Virtual(runtime) => runtime.pass(time),
            Clock::Real(_) => std::thread::sleep(time),
        }
    }
}

/// Keeps the record, and does what the test wants otherwise than the listeners.
pub(super) struct Recorder {
    clock: Clock,
    entries: Mutex<Vec<Entry>>,
    pub(super) faults: Faults,
    replaced: HashMap<TypeId, Replacement>,
}

impl Recorder {
    pub(super) fn new(clock: Clock, replaced: HashMap<TypeId, Replacement>) -> Self {
        Self {
            clock,
            entries: Mutex::default(),
            faults: Faults::default(),
            replaced,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// How much is recorded.
    pub(super) fn len(&self) -> usize {
        lock(&self.entries).len()
    }

    /// What was recorded from the place `from` on.
    pub(super) fn since(&self, from: usize) -> Vec<Entry> {
        lock(&self.entries)[from..].to_vec()
    }

    fn add(&self, what: What) -> usize {
        let at = self.clock.elapsed();
        let mut entries = lock(&self.entries);
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
        let mut entries = lock(&self.entries);
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
        if let What::Called { ended, .. } = &mut lock(&self.entries)[begun].what {
            *ended = Some((at, end));
        }
    }

    fn failed(&self, failure: &Failure) {
        self.add(What::Failed {
            listener: failure.listener().cloned(),
            kind: failure.kind(),
            message: failure.message().to_owned(),
        });
    }
}
