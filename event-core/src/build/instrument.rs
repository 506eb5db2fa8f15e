//! What a test kit asks of a bus that is being built, and of one that runs.

use std::any::TypeId;
use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::task::Context;

use crate::build::builder::BusBuilder;
use crate::build::error::{Code, Problem};
use crate::build::installer::Installer;
use crate::build::order::{self, Edge};
use crate::build::select::ListenerSet;
use crate::bus::carrier::Carrier;
use crate::bus::shutdown::Left;
use crate::bus::subscription::Subscription;
use crate::bus::work::Work;
use crate::bus::{Bus, Inner};
use crate::delivery::lane::QueueStats;
use crate::dispatch::table::Run;
use crate::event::{Event, EventInfo};
use crate::interceptor::Interceptor;
use crate::listener::hear::Heard;
use crate::listener::returns::Step;
use crate::listener::{FnKey, ListenerInfo, Mode};
use crate::registration::{Registration, linked_method};
use crate::registry::Registry;
use crate::runtime::Runtime;

/// Has every emission of a bus go by an interceptor.
#[doc(hidden)]
pub struct Instrument {
    pub interceptor: Arc<dyn Interceptor>,
    pub replaced: Vec<Replaced>,
    /// Events whose linked listeners do not hear them.
    pub stubbed: Vec<TypeId>,
    /// Puts listeners in another order than the declared one.
    pub reorder: Option<u64>,
}

/// Installs a listener of any event in some mode; the flag says whether its function is `async`.
type StandIn = fn(&mut Installer<'_>, Mode, bool);

/// A listener whose body is never run: the interceptor does something instead.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct Replaced {
    pub key: FnKey,
    pub place: &'static Location<'static>,
    /// What the replacement is for; `None` for any event.
    pub event: Option<fn() -> &'static EventInfo>,
    /// Whether the replacement may end the run.
    pub stops: bool,
    /// Whether it answers.
    pub reply: bool,
    /// Installs something that is never run, where the listener's own state is not there.
    pub install: StandIn,
}

impl Instrument {
    pub(crate) fn check(&self, registry: &Registry, problems: &mut Vec<Problem>) {
        for replaced in &self.replaced {
            let Some(listener) = find(registry, replaced.key) else {
                problems.push(Problem::new(
                    Code::NotAListener,
                    format!(
                        "`{}` is replaced, but it is not a listener",
                        replaced.key.name()
                    ),
                    Some(replaced.place),
                    "put `#[listener]` on that function, or take it out of `replace`",
                ));
                continue;
            };
            let heard = listener.topics();
            let fits = match replaced.event {
                Some(event) => listener.is_of(event()),
                None => listener.hears_any(),
            };
            if fits && replaced.reply != listener.replies {
                let (is, write) = if listener.replies {
                    ("answers a request", "`replace_reply`")
                } else {
                    ("answers no request", "`replace`")
                };
                problems.push(Problem::new(
                    Code::NotReplaceable,
                    format!("`{}` {is}, and its replacement does not fit", listener.id),
                    Some(replaced.place),
                    format!("write {write}"),
                ));
            }
            if !fits {
                let by = replaced
                    .event
                    .map_or("&AnyEvent", |event| event().type_name());
                problems.push(Problem::new(
                    Code::NotReplaceable,
                    format!(
                        "`{}` hears `{}`, and its replacement is a closure of `{by}`",
                        listener.id,
                        heard.join("`, `")
                    ),
                    Some(replaced.place),
                    "give the closure the parameter that the listener has: `|e: &Event|` with `replace`, `|e: &AnyEvent<'_>|` with `replace_any`, none with `replace_tick`",
                ));
            }
            if replaced.stops {
                if let Some(why) = cannot_stop(&listener) {
                    problems.push(Problem::new(
                        Code::NotReplaceable,
                        format!(
                            "the replacement of `{}` returns `ControlFlow`, and {why}",
                            listener.id
                        ),
                        Some(replaced.place),
                        "return what the listener may return, such as `()`",
                    ));
                }
            }
        }
    }

    /// What is done instead of a listener.
    pub(crate) fn replacement(&self, listener: &Registration) -> Option<&Replaced> {
        let mut replaced = self.replaced.iter();
        replaced.find(|replaced| replaced.key.id() == (listener.key)())
    }

    pub(crate) fn stubs(&self, event: TypeId) -> bool {
        self.stubbed.contains(&event)
    }

    /// The order in which listeners run that are in the declared order.
    pub(crate) fn reordered(
        &self,
        order: Vec<usize>,
        edges: &[Edge],
        registration: &dyn Fn(usize) -> Registration,
    ) -> Vec<usize> {
        order::reorder(order, edges, self.reorder.unwrap_or(0), registration)
    }
}

/// Why the listener could not end the run itself.
fn cannot_stop(listener: &Registration) -> Option<&'static str> {
    match (listener.mode(), (listener.heard)()) {
        (Mode::Inline, Heard::One { info, .. }) if info().is_stoppable() => None,
        (Mode::Inline, Heard::One { .. }) => Some("its event is not `stoppable`"),
        (Mode::Inline, Heard::Any) => Some("not every event that it hears is `stoppable`"),
        _ => Some("the run has gone on before it is called"),
    }
}

/// What of a listener is in its own code, which needs its state, and no other listener can stand in for.
pub(crate) fn needs_its_code(listener: &Registration) -> Option<&'static str> {
    if listener.condition.is_some() {
        Some("condition")
    } else if listener.policy.max_batch() > 1 {
        Some("batch")
    } else if listener.policy.max_workers() > 1 {
        Some("way to share its work among several workers")
    } else {
        listener.in_code
    }
}

/// A replacement for a listener that needs its state all the same.
pub(crate) fn without_state(replaced: &Replaced, listener: &Registration, what: &str) -> Problem {
    Problem::new(
        Code::NotReplaceable,
        format!(
            "`{}` is replaced and its state is not given, but its {what} is in code that takes the state",
            listener.id
        ),
        Some(replaced.place),
        "give the state that is missing, or a fake of it: the function itself is not run",
    )
}

fn find(registry: &Registry, key: FnKey) -> Option<Registration> {
    match registry.by_key(key.id()) {
        Some(index) => Some(registry.registration(index)),
        None => linked_method(key.id()),
    }
}

impl Inner {
    pub(crate) fn interceptor(&self) -> Option<&Arc<dyn Interceptor>> {
        self.instrument.as_ref().map(|it| &it.interceptor)
    }
}

/// Functions by which listeners are named, with the type that identifies each.
#[doc(hidden)]
pub fn functions<M>(listeners: &impl ListenerSet<M>) -> Vec<FnKey> {
    let mut keys = Vec::new();
    listeners.keys(&mut keys);
    keys
}

/// Which function a listener is.
#[doc(hidden)]
pub fn key_of(listener: &ListenerInfo) -> Option<TypeId> {
    listener.registration().map(|listener| (listener.key)())
}

/// The id and the place of the listener that a function is.
#[doc(hidden)]
pub fn listener_of(key: FnKey) -> Option<(&'static str, &'static Location<'static>)> {
    find(Registry::get(), key).map(|listener| (listener.id, listener.location))
}

/// Whether a bus may call this listener. Methods come and go with their instances.
#[doc(hidden)]
pub fn has(bus: &Bus, key: FnKey) -> bool {
    let is = |infos: &[ListenerInfo]| infos.iter().any(|info| key_of(info) == Some(key.id()));
    let inner = bus.inner();
    inner.cells.iter().any(|cell| is(&cell.infos))
        || inner
            .generics()
            .iter()
            .any(|generic| is(&generic.cell.infos))
        || linked_method(key.id()).is_some()
}

/// A subscription whose closure returns what a listener may return.
#[doc(hidden)]
pub fn subscribe<E: Event>(
    bus: &Bus,
    place: &'static Location<'static>,
    f: impl Fn(&E) -> Step + Send + Sync + 'static,
) -> Subscription {
    let info = ListenerInfo::dynamic(E::TOPIC, place);
    let run = Run::<E>::Bound(Box::new(move |event: &E, _| f(event)));
    let id = bus.inner().subscribe(info, |_| run);
    Subscription::new(bus.inner(), vec![(id, Some(E::__ops()))])
}

/// How many deliveries are open.
#[doc(hidden)]
pub fn open(bus: &Bus) -> usize {
    bus.inner().work.open()
}

/// Ends when no delivery is open.
#[doc(hidden)]
pub fn idle(bus: &Bus) -> impl Future<Output = ()> + Send + Unpin + use<> {
    Work::idle(&bus.inner().work)
}

/// The runtime that a bus will have.
#[doc(hidden)]
pub fn runtime(builder: &BusBuilder) -> Option<Arc<dyn Runtime>> {
    builder.runtime.clone()
}

/// Whether this thread runs the tasks of the bus's runtime.
#[doc(hidden)]
pub fn runs_here(bus: &Bus) -> bool {
    bus.inner().runtime().is_some_and(Runtime::is_current)
}

/// Lets the bus's runtime go on for a future that waits for it.
#[doc(hidden)]
pub fn help(bus: &Bus, who: usize, cx: &mut Context<'_>) {
    if let Some(runtime) = bus.inner().runtime() {
        runtime.help(who, cx);
    }
}

/// What is open, by listener.
#[doc(hidden)]
pub fn left(bus: &Bus) -> Vec<Left> {
    let now = bus.inner().now();
    let carried = bus.inner().carried.list().into_iter();
    carried
        .filter_map(|(listener, carrier)| {
            let Carrier {
                flights,
                berth,
                lane,
            } = carrier;
            let (mut running, waiting) = flights.upgrade()?.under_way(now);
            let mut queue = QueueStats::default();
            if let Some((berth, lane)) = berth.zip(lane.as_ref().and_then(Weak::upgrade)) {
                // A call of a queue may be of several deliveries.
                running = berth.under_way();
                queue = lane.stats();
            }
            let since = running.iter();
            let in_flight: Vec<_> = since
                .map(|since| now.saturating_duration_since(*since))
                .collect();
            Left::new(listener, waiting + queue.depth, queue.in_backoff, in_flight)
        })
        .collect()
}

/// Makes a bus the current one of this thread while `f` runs, outside of listeners.
#[doc(hidden)]
pub fn scope<R>(bus: &Bus, f: impl FnOnce() -> R) -> R {
    bus.inner().scope(f)
}

impl std::fmt::Debug for Instrument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Instrument({} replaced)", self.replaced.len())
    }
}

impl std::fmt::Debug for Replaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replaced({})", self.key.name())
    }
}
