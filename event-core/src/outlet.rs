//! A queue that is added to a bus while the program runs, for what takes events out of the program.

use std::future::poll_fn;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::task::Poll;

#[cfg(feature = "json")]
use crate::build::error::{nearest, suggestion};
use crate::bus::Bus;
use crate::bus::carrier::Carrier;
use crate::bus::subscription::Subscription;
use crate::delivery::Flights;
use crate::delivery::lane::{Berth, Lane, Offer, Origin};
use crate::dispatch::emission::Emission;
use crate::dispatch::report::Report;
use crate::dispatch::table::{Erased, Sub};
#[cfg(feature = "json")]
use crate::event::EventInfo;
use crate::event::EventOps;
use crate::listener::hear::{AnyRun, SharedAny};
use crate::listener::policy::Policy;
use crate::listener::{ListenerInfo, Mode};
use crate::registry::Registry;
use crate::runtime::Runtime;
use crate::sync::lock;

/// Why an event cannot leave the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoOutlet {
    /// No event has the topic.
    Unknown,
    /// It is not `Send + Sync`.
    NotSend,
}

/// The events that are declared `serde`, by topic.
#[cfg(feature = "json")]
pub fn written_events() -> impl Iterator<Item = &'static EventInfo> {
    let slots = Registry::get().slots.iter();
    slots
        .filter(|ops| ops.json.is_some())
        .map(|ops| (ops.info)())
}

/// ``; did you mean `a` or `b`?`` with the topics of such events that are like a text, or nothing.
#[cfg(feature = "json")]
pub fn like_written(text: &str) -> String {
    let topics = written_events().map(EventInfo::topic);
    suggestion(&nearest(text, topics))
}

/// The bus side of a queue that is not docked yet.
pub fn berth() -> Arc<Berth> {
    let policy = Policy::asynchronous().limit(usize::MAX);
    Arc::new(Berth::new(Arc::new(Flights::new(policy))))
}

/// The runtime of a bus.
pub fn runtime(bus: &Bus) -> Option<Arc<dyn Runtime>> {
    bus.inner().shared_runtime().cloned()
}

/// Whether a bus takes no events any more.
pub fn is_closing(bus: &Bus) -> bool {
    bus.inner().closing.get().is_some()
}

/// The bus's one value of this type.
pub fn shared<T: Send + Sync + 'static>(bus: &Bus, make: impl FnOnce() -> T) -> Arc<T> {
    bus.inner().shared.get(make)
}

/// Whether anybody was reached by an event so far.
pub fn was_heard(emission: &Emission) -> bool {
    emission.reached()
}

/// Warns as of an event that nobody heard, of each text once.
pub fn warn(bus: &Bus, text: &str) {
    bus.inner().warn_unheard(text, text);
}

/// Whether a queue can hold what is emitted with a topic.
///
/// # Errors
///
/// [`NoOutlet`] if it cannot.
pub fn check(topic: &str) -> Result<(), NoOutlet> {
    bind(topic, |_, _| Offer::Absent).map(drop)
}

type Bound = (&'static EventOps, Erased);

fn bind(
    topic: &str,
    offer: impl Fn(SharedAny, Origin) -> Offer + Send + Sync + 'static,
) -> Result<Bound, NoOutlet> {
    let mut slots = Registry::get().slots.iter().copied();
    let ops = slots.find(|ops| (ops.info)().topic() == topic);
    let ops = ops.ok_or(NoOutlet::Unknown)?;
    let run = AnyRun::Queue(Arc::new(offer));
    let run = (ops.bind_any)(run).map_err(|_| NoOutlet::NotSend)?;
    Ok((ops, run))
}

/// Has a lane take in what is emitted from now on with a topic, as the listener of this id.
///
/// # Errors
///
/// [`NoOutlet`] if there is no such event that it could hold.
pub fn dock(
    bus: &Bus,
    topic: &str,
    id: String,
    place: &'static Location<'static>,
    berth: Arc<Berth>,
    lane: Weak<dyn Lane>,
    offer: impl Fn(SharedAny, Origin) -> Offer + Send + Sync + 'static,
) -> Result<Subscription, NoOutlet> {
    let inner = bus.inner();
    let (ops, run) = bind(topic, offer)?;
    let cell = inner.cell_of(ops).ok_or(NoOutlet::Unknown)?;
    let info = ListenerInfo::named(id, topic, Mode::Queue, place);
    let carrier = Carrier {
        flights: berth.flights(),
        berth: Some(berth),
        lane: Some(lane),
    };
    inner.carried.add(inner, vec![(info.clone(), carrier)]);
    let mut dynamic = lock(&inner.dynamic);
    let id = dynamic.id();
    cell.subscribe(Sub { id, info, run });
    drop(dynamic);
    Ok(Subscription::new(inner, vec![(id, Some(ops))]))
}

/// The report once every queue has said whether it takes the event. Async deliveries are the runtime's, as in [`Emission::report`].
pub async fn accepted(emission: Emission) -> Report {
    let (mut report, mut rooms, mut others) = emission.into_rooms();
    let mut of_others = Report::default();
    poll_fn(|cx| {
        rooms.retain_mut(|room| room.poll(cx, &mut report).is_pending());
        others.retain_mut(|room| room.poll(cx, &mut of_others).is_pending());
        if rooms.is_empty() && others.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    report
}
