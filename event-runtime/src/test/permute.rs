//! Whether something depends on an order that nothing fixes.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use event_core::private::panic_message;
use event_core::{Bus, ListenerInfo};

use super::builder::TestBusBuilder;
use super::record::{Entry, What};
use crate::sync::lock;

/// Runs a test with the listeners of each event in `runs` orders that phases and relations allow, and fails unless the same comes of all of them.
///
/// What the closure returns is compared; what it asserts holds in every order. It builds its bus from the builder that it is given, with fresh state.
/// The first run has the declared order and the second its reverse, which turns every two listeners that stand in one phase and have no relations;
/// the others are drawn, always the same. They are those of [`reorder`](TestBusBuilder::reorder) with the seeds from 0 on: to look at one of them again,
/// give its seed there. The result is that of the declared order.
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tidings::test::permute;
/// use tidings::{event, listener};
///
/// #[event]
/// struct Paid {
///     cents: u64,
/// }
///
/// #[listener]
/// fn sum(e: &Paid, total: &AtomicU64) {
///     total.fetch_add(e.cents, Ordering::Relaxed);
/// }
///
/// #[listener]
/// fn fee(_: &Paid, total: &AtomicU64) {
///     total.fetch_sub(30, Ordering::Relaxed);
/// }
///
/// let total = permute(10, |builder| {
///     let total = Arc::new(AtomicU64::new(100));
///     let bus = builder.state(Arc::clone(&total)).build();
///     bus.emit(Paid { cents: 250 });
///     bus.settle_blocking();
///     total.load(Ordering::Relaxed)
/// });
/// assert_eq!(total, 320);
/// ```
///
/// With a fee of a tenth of the total it would fail, with both totals, the seed, and the two listeners that came in another order:
///
/// ```should_panic,standalone_crate
/// # use std::sync::Arc;
/// # use std::sync::atomic::{AtomicU64, Ordering};
/// # use tidings::test::permute;
/// # use tidings::{event, listener};
/// # #[event]
/// # struct Paid {
/// #     cents: u64,
/// # }
/// # #[listener]
/// # fn sum(e: &Paid, total: &AtomicU64) {
/// #     total.fetch_add(e.cents, Ordering::Relaxed);
/// # }
/// #[listener]
/// fn fee(_: &Paid, total: &AtomicU64) {
///     let now = total.load(Ordering::Relaxed);
///     total.store(now - now / 10, Ordering::Relaxed);
/// }
/// # permute(10, |builder| {
/// #     let total = Arc::new(AtomicU64::new(100));
/// #     let bus = builder.state(Arc::clone(&total)).build();
/// #     bus.emit(Paid { cents: 250 });
/// #     bus.settle_blocking();
/// #     total.load(Ordering::Relaxed)
/// # });
/// ```
///
/// # Panics
///
/// If the results differ, or if the closure panics, with the seed of the order. If there are fewer than two runs, or the closure does not build a bus from
/// its builder, since nothing is compared then.
#[track_caller]
pub fn permute<T: PartialEq + fmt::Debug>(runs: u64, test: impl FnMut(TestBusBuilder) -> T) -> T {
    permute_from(runs, Bus::builder, test)
}

/// As [`permute`], from the builder that the application makes itself.
///
/// ```standalone_crate
/// use tidings::test::permute_from;
/// use tidings::{Bus, BusBuilder, event, listener};
///
/// #[event]
/// struct Placed;
///
/// struct Bank;
///
/// #[listener]
/// fn charge(_: &Placed, _: &Bank) {}
///
/// #[listener]
/// fn confirm(_: &Placed) {}
///
/// /// Used by `main`.
/// fn builder() -> BusBuilder {
///     Bus::builder().state(Bank)
/// }
///
/// permute_from(2, builder, |builder| {
///     let bus = builder.build();
///     bus.emit(Placed);
///     let run = bus.settle_blocking();
///     run.heard_by(charge).once().ok();
///     run.heard_by(confirm).once().ok();
/// });
/// ```
///
/// # Panics
///
/// As [`permute`].
#[track_caller]
pub fn permute_from<B: Into<TestBusBuilder>, T: PartialEq + fmt::Debug>(
    runs: u64,
    mut builder: impl FnMut() -> B,
    mut test: impl FnMut(TestBusBuilder) -> T,
) -> T {
    assert!(runs > 1, "fewer than two orders compare nothing");
    let mut declared: Option<(T, Seen)> = None;
    for seed in 0..runs {
        let order = Order(seed);
        let watch = Watch::new();
        let mut builder: TestBusBuilder = builder().into().reorder(seed);
        builder.watch = watch.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| test(builder)));
        let seen = watch.take();
        let turned = |first: &Seen| {
            let turned = first.turned(&seen);
            turned.map_or(String::new(), |turned| turned.told(order))
        };
        let outcome = outcome.unwrap_or_else(|panic| {
            let message = panic_message(panic);
            let turned = declared.as_ref().map(|(_, first)| turned(first));
            panic!(
                "{order} the test panicked: {message}{}",
                turned.unwrap_or_default()
            );
        });
        assert!(
            seen.built,
            "no bus was built from the builder that `permute` gave, so its order was not looked at"
        );
        match &declared {
            None => declared = Some((outcome, seen)),
            Some((expected, first)) if *expected != outcome => panic!(
                "the outcome depends on an order of listeners that nothing fixes\n  {}: {expected:?}\n  {order}: {outcome:?}{}",
                Order(0),
                turned(first)
            ),
            Some(_) => {}
        }
    }
    let (outcome, _) = declared.expect("there was a first run");
    outcome
}

/// In which order the listeners run.
#[derive(Clone, Copy)]
struct Order(u64);

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("in the declared order"),
            seed => write!(f, "with `reorder({seed})`"),
        }
    }
}

/// Looks at what is called on one bus; on one that is not permuted, at nothing.
#[derive(Clone, Default)]
pub(super) struct Watch(Option<Arc<Mutex<Seen>>>);

impl Watch {
    fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) fn built(&self) {
        if let Some(seen) = &self.0 {
            lock(seen).built = true;
        }
    }

    pub(super) fn ended(&self, entries: impl FnOnce() -> Vec<Entry>) {
        if let Some(seen) = &self.0 {
            let emissions = called(&entries());
            lock(seen).emissions = emissions;
        }
    }

    fn take(&self) -> Seen {
        let seen = self.0.as_ref().map(|seen| std::mem::take(&mut *lock(seen)));
        seen.unwrap_or_default()
    }
}

#[derive(Default)]
struct Seen {
    built: bool,
    emissions: Vec<Emission>,
}

/// One emission, and whom it reached, in that order.
struct Emission {
    topic: &'static str,
    reached: Vec<ListenerInfo>,
}

/// The first two listeners that an event reached in another order.
struct Turned<'a> {
    topic: &'static str,
    before: &'a ListenerInfo,
    after: &'a ListenerInfo,
}

fn called(entries: &[Entry]) -> Vec<Emission> {
    let mut emissions = Vec::new();
    let mut places = HashMap::new();
    let mut told = HashSet::new();
    for entry in entries {
        match &entry.what {
            What::Emitted { number, topic, .. } => {
                places.insert(*number, emissions.len());
                emissions.push(Emission {
                    topic,
                    reached: Vec::new(),
                });
            }
            What::Accepted { listener, emission }
            | What::Called {
                listener, emission, ..
            } => {
                // A delivery is told when a queue takes it in, and at each of its calls.
                if told.insert((*emission, listener.id(), listener.location())) {
                    if let Some(place) = places.get(emission) {
                        emissions[*place].reached.push(listener.clone());
                    }
                }
            }
            What::Failed { .. } => {}
        }
    }
    emissions
}

fn same(one: &ListenerInfo, other: &ListenerInfo) -> bool {
    (one.id(), one.location()) == (other.id(), other.location())
}

impl Seen {
    fn turned<'a>(&'a self, other: &'a Seen) -> Option<Turned<'a>> {
        let mut by_topic: HashMap<&str, std::vec::IntoIter<&Emission>> = HashMap::new();
        for topic in self.emissions.iter().map(|emission| emission.topic) {
            by_topic.entry(topic).or_insert_with(|| {
                let of_it = other.emissions.iter().filter(|e| e.topic == topic);
                of_it.collect::<Vec<_>>().into_iter()
            });
        }
        self.emissions.iter().find_map(|first| {
            // The second emission of a topic is compared with the second.
            let second = by_topic.get_mut(first.topic)?.next()?;
            let mut pairs = first.reached.iter().zip(&second.reached);
            let (before, after) = pairs.find(|(one, other)| !same(one, other))?;
            Some(Turned {
                topic: first.topic,
                before,
                after,
            })
        })
    }
}

impl Turned<'_> {
    fn told(&self, order: Order) -> String {
        let Turned {
            topic,
            before,
            after,
        } = self;
        format!(
            "\nthe first that `{topic}` reached the other way round {order}:\n  `{}` at {}\n  `{}` at {}\nhelp: say which comes first with `before` or `after`, or let neither depend on the other",
            before.id(),
            before.location(),
            after.id(),
            after.location()
        )
    }
}
