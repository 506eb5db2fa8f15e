//! What goes wrong because a test wants it to.

use std::any::TypeId;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_core::private::{FnKey, Returns, Step};

use crate::sync::lock;

type MakeError = Arc<dyn Fn() -> Box<dyn Error + Send + Sync> + Send + Sync>;

/// All faults of a bus.
#[derive(Default)]
pub(super) struct Faults {
    rules: Mutex<Vec<Rule>>,
    copies: Mutex<HashMap<TypeId, usize>>,
}

struct Rule {
    listener: TypeId,
    kind: Kind,
    /// How often it still strikes; `None` for every time.
    left: Option<usize>,
}

#[derive(Clone)]
pub(super) enum Kind {
    Fail(MakeError),
    Panic,
    Delay(Duration),
}

impl Kind {
    fn is_delay(&self) -> bool {
        matches!(self, Kind::Delay(_))
    }
}

impl Faults {
    /// The rules stand at the places that are returned.
    pub(super) fn add(&self, listeners: &[FnKey], kind: &Kind) -> Vec<usize> {
        let mut rules = lock(&self.rules);
        let first = rules.len();
        rules.extend(listeners.iter().map(|key| Rule {
            listener: key.id(),
            kind: kind.clone(),
            left: None,
        }));
        (first..rules.len()).collect()
    }

    pub(super) fn duplicate(&self, event: TypeId) {
        *lock(&self.copies).entry(event).or_insert(1) += 1;
    }

    /// How often an event is delivered.
    pub(super) fn copies(&self, event: TypeId) -> usize {
        lock(&self.copies).get(&event).copied().unwrap_or(1)
    }

    pub(super) fn concern(&self, listener: TypeId) -> bool {
        let rules = lock(&self.rules);
        rules
            .iter()
            .any(|rule| rule.listener == listener && rule.left != Some(0))
    }

    pub(super) fn delay(&self, listener: TypeId) -> Option<Duration> {
        match self.take(listener, Kind::is_delay)? {
            Kind::Delay(time) => Some(time),
            Kind::Fail(_) | Kind::Panic => None,
        }
    }

    /// Fails a call or panics in it, if one of the rules says so.
    pub(super) fn strike(&self, listener: TypeId) -> Option<Step> {
        match self.take(listener, |kind| !kind.is_delay())? {
            Kind::Fail(error) => Some(Err::<(), _>(error()).into_step()),
            Kind::Panic => panic!("a panic that the test asked for"),
            Kind::Delay(_) => None,
        }
    }

    fn take(&self, listener: TypeId, wanted: impl Fn(&Kind) -> bool) -> Option<Kind> {
        let mut rules = lock(&self.rules);
        let mut rules = rules.iter_mut();
        let rule = rules
            .find(|rule| rule.listener == listener && rule.left != Some(0) && wanted(&rule.kind))?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.kind.clone())
    }

    fn change(&self, at: &[usize], change: impl Fn(&mut Rule)) {
        let mut rules = lock(&self.rules);
        for at in at {
            change(&mut rules[*at]);
        }
    }
}

/// A fault that is in force: it strikes at every call of its listener, unless [`times`](Self::times) says otherwise.
///
/// Of several faults of a listener the one that was asked for first strikes until it is used up.
///
/// ```standalone_crate
/// use tidings::test::TestBus;
/// use tidings::{event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// fn charge(_: &Placed) {}
///
/// let bus = TestBus::new();
/// bus.fail(charge).once().with("the bank is closed");
/// bus.panic(charge).once();
/// bus.duplicate::<Placed>();
///
/// // Twice each: the first two calls go wrong.
/// bus.emit(Placed);
/// bus.emit(Placed);
/// let run = bus.settle_blocking();
/// run.heard_by(charge).times(4);
/// assert!(run.to_string().contains("charge: panicked"));
/// ```
pub struct Fault<'a, K = ()> {
    pub(super) faults: &'a Faults,
    pub(super) rules: Vec<usize>,
    pub(super) kind: PhantomData<K>,
}

/// Marks the [`Fault`] that lets a listener fail.
#[derive(Debug)]
pub struct Failing;

impl<'a, K> Fault<'a, K> {
    pub(super) fn new(faults: &'a Faults, listeners: &[FnKey], kind: &Kind) -> Self {
        Self {
            faults,
            rules: faults.add(listeners, kind),
            kind: PhantomData,
        }
    }

    /// Only the next `n` calls; later ones are as ever. Each try of a retry is a call.
    #[expect(clippy::return_self_not_must_use, reason = "the fault is in force")]
    pub fn times(self, n: usize) -> Self {
        self.faults.change(&self.rules, |rule| rule.left = Some(n));
        self
    }

    /// Only the next call.
    #[expect(clippy::return_self_not_must_use, reason = "the fault is in force")]
    pub fn once(self) -> Self {
        self.times(1)
    }
}

impl Fault<'_, Failing> {
    /// The error that the listener returns, instead of one that says it was asked for.
    ///
    /// It has its own type for `retry_if` and for [`Failure::source`](event_core::Failure::source).
    #[expect(clippy::return_self_not_must_use, reason = "the fault is in force")]
    pub fn with<E>(self, error: E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>> + Clone + Send + Sync + 'static,
    {
        self.with_each(move || error.clone())
    }

    /// As [`with`](Self::with), for errors that cannot be cloned.
    #[expect(clippy::return_self_not_must_use, reason = "the fault is in force")]
    pub fn with_each<E>(self, error: impl Fn() -> E + Send + Sync + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let make: MakeError = Arc::new(move || error().into());
        self.faults.change(&self.rules, |rule| {
            rule.kind = Kind::Fail(Arc::clone(&make));
        });
        self
    }
}

impl<K> fmt::Debug for Fault<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({} listeners)", self.rules.len())
    }
}
