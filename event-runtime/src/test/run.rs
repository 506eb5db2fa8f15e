//! What a test asks of the record.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use event_core::private::instrument;
use event_core::{Bus, Event, ListenerInfo, ListenerSet};

use super::bus::member;
use super::emitted::Emitted;
use super::heard::Heard;
use super::record::{Entry, What};
use super::timeline;

/// What happened on a [`TestBus`](super::TestBus) from one settling to the next. Its assertions print it when they fail.
///
/// Printed, it is a timeline: each emission with its place, and under it the calls that it led to, by the time of the bus's clock. Of a long record
/// the beginning and the end are printed, and how much is between them.
///
/// ```standalone_crate
/// use tidings::test::TestBus;
/// use tidings::{event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// fn charge(_: &Placed) -> Result<(), String> {
///     Err("no money".into())
/// }
///
/// let bus = TestBus::new();
/// bus.emit(Placed);
/// let run = bus.settle_blocking();
/// assert!(run.to_string().contains("charge: failed, \"no money\""));
/// ```
#[derive(Clone)]
pub struct Run {
    pub(super) entries: Arc<[Entry]>,
    bus: Bus,
    /// The seed of the order of its listeners.
    reordered: Option<u64>,
}

impl Run {
    pub(super) fn new(entries: Vec<Entry>, bus: &Bus, reordered: Option<u64>) -> Self {
        Self {
            entries: entries.into(),
            bus: bus.clone(),
            reordered,
        }
    }

    /// What a listener heard: `run.heard_by(billing::charge).once().ok()`.
    ///
    /// # Panics
    ///
    /// If the function is no listener of the bus, since the answer would always be the same.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a function is written as it is"
    )]
    #[must_use = "say what it heard: `.once()`, `.times(n)`, `.never()`"]
    pub fn heard_by<M>(&self, listener: impl ListenerSet<M>) -> Heard<'_> {
        let keys = instrument::functions(&listener);
        let [key] = keys[..] else {
            panic!("`heard_by` is about one listener: ask for each of them");
        };
        Heard::new(self, key.id(), member(&self.bus, key))
    }

    /// Fails unless none of these listeners heard anything: one function or a tuple.
    ///
    /// # Panics
    ///
    /// If one of them heard something, was refused a delivery, or is no listener of the bus.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn not_heard_by<M>(&self, listeners: impl ListenerSet<M>) {
        for key in instrument::functions(&listeners) {
            Heard::new(self, key.id(), member(&self.bus, key)).never();
        }
    }

    /// The events of this type that were emitted: `run.emitted::<Paid>().one(|paid| paid.order == 7)`.
    pub fn emitted<E: Event>(&self) -> Emitted<'_, E> {
        Emitted::new(self)
    }

    /// Fails unless these listeners were called for the first time in this order: `run.order((charge, receipt))`.
    ///
    /// # Panics
    ///
    /// If they were not, if one was not called at all, or is no listener of the bus.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "functions and tuples of them are written as they are"
    )]
    pub fn order<M>(&self, listeners: impl ListenerSet<M>) {
        let keys = instrument::functions(&listeners);
        let calls = keys.iter().map(|key| {
            let id = member(&self.bus, *key);
            match self.first_call(key.id()) {
                Some(at) => (at, id),
                None => self.fail(&format!("`{id}` was to be called, and was not")),
            }
        });
        let calls: Vec<_> = calls.collect();
        for pair in calls.windows(2) {
            let [(first, a), (second, b)] = pair else {
                continue;
            };
            if first > second {
                self.fail(&format!(
                    "`{a}` was to be called before `{b}`, and came after it"
                ));
            }
        }
    }

    fn first_call(&self, key: TypeId) -> Option<usize> {
        self.entries.iter().position(
            |entry| matches!(&entry.what, What::Called { listener, .. } if is(listener, key)),
        )
    }

    #[track_caller]
    pub(super) fn fail(&self, what: &str) -> ! {
        panic!("{what}\n\n{self}");
    }
}

/// Whether the listener is the function of this key.
pub(super) fn is(listener: &ListenerInfo, key: TypeId) -> bool {
    instrument::key_of(listener) == Some(key)
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        timeline::write(f, &self.entries, self.reordered)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run({} entries)", self.entries.len())
    }
}
