//! The events of one type that were emitted.

use std::any::TypeId;
use std::fmt;

use event_core::Event;

use super::record::{Entry, What};
use super::run::Run;

/// Sentences about the emitted events of one type: `run.emitted::<Paid>().one(|paid| paid.order == 7)`. Each fails the test, with the timeline, if it
/// is not true.
///
/// An event counts whether anybody heard it or not, and once however often it was delivered. Payloads are kept only of events that are
/// `Send + Sync`; of others there is only the number.
///
/// ```standalone_crate
/// use tidings::test::TestBus;
/// use tidings::{event, listener};
///
/// #[event]
/// struct Placed {
///     orders: Vec<u64>,
/// }
///
/// #[event]
/// struct Paid {
///     order: u64,
/// }
///
/// #[listener]
/// fn charge(e: &Placed) -> Vec<Paid> {
///     e.orders.iter().map(|order| Paid { order: *order }).collect()
/// }
///
/// let bus = TestBus::new();
/// bus.emit(Placed { orders: vec![7, 8] });
/// let run = bus.settle_blocking();
/// run.emitted::<Paid>().times(2);
/// run.emitted::<Paid>().one(|paid| paid.order == 8);
/// assert_eq!(run.emitted::<Paid>().payloads()[0].order, 7);
/// ```
#[must_use = "say what was emitted: `.once()`, `.one(..)`, `.none()`"]
pub struct Emitted<'a, E> {
    run: &'a Run,
    count: usize,
    payloads: Vec<&'a E>,
}

impl<'a, E: Event> Emitted<'a, E> {
    pub(super) fn new(run: &'a Run) -> Self {
        let of_type = |entry: &'a Entry| match &entry.what {
            What::Emitted { event, payload, .. } if *event == TypeId::of::<E>() => {
                Some(payload.as_ref())
            }
            _ => None,
        };
        let found: Vec<_> = run.entries.iter().filter_map(of_type).collect();
        let payloads = found.iter().flatten();
        Self {
            run,
            count: found.len(),
            payloads: payloads.filter_map(|p| p.downcast_ref()).collect(),
        }
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The events, in the order of their emission.
    ///
    /// # Panics
    ///
    /// If the event is not `Send + Sync`: its payloads cannot be kept.
    #[track_caller]
    pub fn payloads(&self) -> Vec<&'a E> {
        assert!(
            self.payloads.len() == self.count,
            "`{}` is not `Send + Sync`, so its payloads are not kept: ask for `count`, or collect them in a listener",
            std::any::type_name::<E>()
        );
        self.payloads.clone()
    }

    #[track_caller]
    fn check(&self, holds: bool, wanted: &str) {
        if !holds {
            self.run.fail(&format!(
                "`{}` was to be emitted {wanted}, and was emitted {} times",
                E::TOPIC,
                self.count
            ));
        }
    }

    /// Exactly one, of which this is true; the event is returned.
    ///
    /// # Panics
    ///
    /// If it is true of none or of several, or the event is not `Send + Sync`.
    #[track_caller]
    pub fn one(&self, is: impl Fn(&E) -> bool) -> &'a E {
        let mut found = self.payloads();
        found.retain(|event| is(event));
        if let [one] = &found[..] {
            return one;
        }
        self.run.fail(&format!(
            "`{}` was to be emitted once as described, and {} of {} were so",
            E::TOPIC,
            found.len(),
            self.count
        ))
    }

    /// Exactly one.
    ///
    /// # Panics
    ///
    /// If there were none or several.
    #[track_caller]
    pub fn once(&self) {
        self.check(self.count == 1, "once");
    }

    /// Exactly `n`.
    ///
    /// # Panics
    ///
    /// If there were more or fewer.
    #[track_caller]
    pub fn times(&self, n: usize) {
        self.check(self.count == n, &format!("{n} times"));
    }

    /// None.
    ///
    /// # Panics
    ///
    /// If there was one.
    #[track_caller]
    pub fn none(&self) {
        self.check(self.count == 0, "never");
    }
}

impl<E> fmt::Debug for Emitted<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emitted({})", self.count)
    }
}
