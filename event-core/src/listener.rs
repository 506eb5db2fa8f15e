//! What is known of a listener: its identity, place, order, needs and effects.

pub(crate) mod hear;
pub(crate) mod param;
pub(crate) mod policy;
pub(crate) mod returns;
pub(crate) mod timed;
pub(crate) mod typed;

use std::any::TypeId;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::event::EventInfo;
use crate::listener::param::{Listener, Takes};
use crate::listener::policy::Policy;
use crate::registration::{Linked, Registration};

/// The part of the order that a listener stands in: all early listeners run before the main ones, all late ones after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Phase {
    /// `#[listener(early)]`.
    Early,
    /// Neither `early` nor `late`.
    #[default]
    Main,
    /// `#[listener(late)]`.
    Late,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Early => "early",
            Phase::Main => "main",
            Phase::Late => "late",
        })
    }
}

/// How a listener is delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// A plain function: runs on the emitting thread before `emit` returns.
    Inline,
    /// An `async fn`: runs in the awaiting task, or on the bus's [`Runtime`](crate::Runtime).
    Async,
    /// Behind a queue of its own, sync or async.
    Queue,
    /// Without an event, at every end of a period (`every`), sync or async.
    Every,
    /// With the last event, once it was quiet for a time (`debounce`), sync or async.
    Debounce,
    /// With the first event, and then with the latest of each period (`throttle`), sync or async.
    Throttle,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Inline => "inline",
            Mode::Async => "async",
            Mode::Queue => "queue",
            Mode::Every => "every",
            Mode::Debounce => "debounce",
            Mode::Throttle => "throttle",
        })
    }
}

/// The description of one listener: a cheap handle, the same for linked listeners, attached methods and subscriptions.
///
/// ```standalone_crate
/// use tidings::{Mode, event, listener};
///
/// #[event]
/// struct Paid;
///
/// /// Sends the receipt.
/// #[listener(id = "mail.receipt", late)]
/// fn send_receipt(_: &Paid) {}
///
/// let catalog = tidings::catalog();
/// let info = catalog.listeners().iter().find(|l| l.id() == "mail.receipt").unwrap();
/// assert_eq!(info.docs(), "Sends the receipt.");
/// assert_eq!(info.hears(), ["paid"]);
/// assert_eq!(info.mode(), Mode::Inline);
/// ```
#[derive(Clone)]
pub struct ListenerInfo(Repr);

#[derive(Clone)]
enum Repr {
    Linked(&'static Linked),
    Method(&'static Registration),
    Dynamic(Arc<Dynamic>),
}

struct Dynamic {
    id: String,
    hears: String,
    mode: Mode,
    location: &'static Location<'static>,
}

impl ListenerInfo {
    pub(crate) fn linked(linked: &'static Linked) -> Self {
        Self(Repr::Linked(linked))
    }

    pub(crate) fn method(registration: &'static Registration) -> Self {
        Self(Repr::Method(registration))
    }

    pub(crate) fn dynamic(hears: &str, location: &'static Location<'static>) -> Self {
        let id = format!(
            "subscription at {}:{}:{}",
            location.file(),
            location.line(),
            location.column()
        );
        Self::named(id, hears, Mode::Inline, location)
    }

    /// A subscription that is not named by its place.
    pub(crate) fn named(
        id: String,
        hears: &str,
        mode: Mode,
        location: &'static Location<'static>,
    ) -> Self {
        Self(Repr::Dynamic(Arc::new(Dynamic {
            id,
            hears: hears.to_owned(),
            mode,
            location,
        })))
    }

    pub(crate) fn registration(&self) -> Option<Registration> {
        match &self.0 {
            Repr::Linked(linked) => Some(linked.registration()),
            Repr::Method(registration) => Some(**registration),
            Repr::Dynamic(_) => None,
        }
    }

    /// The identity: `crate::module::function`, or what `id = ".."` says; a subscription is named by its place.
    pub fn id(&self) -> &str {
        match &self.0 {
            Repr::Linked(linked) => linked.registration().id,
            Repr::Method(r) => r.id,
            Repr::Dynamic(d) => &d.id,
        }
    }

    /// The function's name, `Type::method` for a method, empty for a subscription.
    pub fn function(&self) -> &'static str {
        self.registration().map_or("", |r| r.function())
    }

    /// The module that declares it, empty for a subscription.
    pub fn module(&self) -> &'static str {
        self.registration().map_or("", |r| r.module())
    }

    /// The crate that declares it, empty for a subscription.
    pub fn crate_name(&self) -> &'static str {
        self.registration().map_or("", |r| r.crate_name())
    }

    /// The doc comment, without indentation.
    pub fn docs(&self) -> &'static str {
        self.registration().map_or("", |r| r.docs)
    }

    /// The topics and patterns it hears.
    pub fn hears(&self) -> Vec<&str> {
        match &self.0 {
            Repr::Linked(linked) => linked.registration().topics(),
            Repr::Method(r) => r.topics(),
            Repr::Dynamic(d) => vec![&d.hears],
        }
    }

    /// The part of the order it stands in; subscriptions come after all of them.
    pub fn phase(&self) -> Phase {
        self.registration().map_or(Phase::Late, |r| r.phase)
    }

    /// What `before = ..` names: ids, or the paths of functions.
    pub fn runs_before(&self) -> Vec<&'static str> {
        self.related(true)
    }

    /// What `after = ..` names: ids, or the paths of functions.
    pub fn runs_after(&self) -> Vec<&'static str> {
        self.related(false)
    }

    fn related(&self, before: bool) -> Vec<&'static str> {
        let relations = self.registration().map_or(&[][..], |r| r.relations);
        let name = |relation: &Relation| match relation.target {
            Target::Function(key) => key.name(),
            Target::Id(id) => id,
        };
        relations
            .iter()
            .filter(|relation| relation.before == before)
            .map(name)
            .collect()
    }

    /// How it is delivered to.
    pub fn mode(&self) -> Mode {
        match &self.0 {
            Repr::Linked(linked) => linked.registration().mode(),
            Repr::Method(r) => r.mode(),
            Repr::Dynamic(d) => d.mode,
        }
    }

    /// How the deliveries of an async listener are carried, as its attribute says it: [`tune`](crate::BusBuilder::tune) is a matter of each bus.
    /// `None` for what runs inside `emit`.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Overlap, event, listener};
    ///
    /// #[event]
    /// struct Paid;
    ///
    /// #[listener(overlap = "serial", timeout = "5s")]
    /// async fn book(_: &Paid) {}
    ///
    /// let policy = tidings::catalog().listeners()[0].policy().unwrap();
    /// assert_eq!(policy.max_in_flight(), 1024);
    /// assert_eq!(policy.on_overlap(), Overlap::Serial);
    /// assert_eq!(policy.time_limit(), Some(Duration::from_secs(5)));
    /// ```
    pub fn policy(&self) -> Option<Policy> {
        let carried = |r: &Registration| r.mode() != Mode::Inline;
        self.registration().filter(carried).map(|r| r.policy)
    }

    /// Whether it answers requests: `#[listener(reply)]`.
    pub fn replies(&self) -> bool {
        self.registration().is_some_and(|r| r.replies)
    }

    /// The source text of `when = ..`.
    pub fn condition(&self) -> Option<&'static str> {
        self.registration().and_then(|r| r.condition)
    }

    /// The state it asks for, in the order of its parameters.
    pub fn needs(&self) -> Vec<StateNeed> {
        let needs = self.registration().map_or(&[][..], |r| r.needs);
        needs.iter().filter_map(Need::state).collect()
    }

    /// The events that it emits, as far as its return type and `emits(..)` tell.
    pub fn emits(&self) -> Vec<&'static EventInfo> {
        self.registration().map_or_else(Vec::new, |r| r.emitted())
    }

    /// Where it is declared, or where the subscription was made.
    pub fn location(&self) -> &'static Location<'static> {
        match &self.0 {
            Repr::Linked(linked) => linked.registration().location,
            Repr::Method(r) => r.location,
            Repr::Dynamic(d) => d.location,
        }
    }
}

impl fmt::Debug for ListenerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerInfo")
            .field("id", &self.id())
            .field("location", &self.location().to_string())
            .finish_non_exhaustive()
    }
}

/// One state parameter of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateNeed {
    pub(crate) parameter: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) optional: bool,
}

impl StateNeed {
    /// The parameter's name.
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// The state's type.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Whether the listener runs without it.
    pub fn is_optional(&self) -> bool {
        self.optional
    }
}

/// One parameter after the event: what it asks of the bus.
#[doc(hidden)]
pub struct Need {
    name: &'static str,
    pub(crate) ask: fn(&'static str) -> Option<StateNeed>,
    pub(crate) given: fn(&crate::build::state::StateMap) -> bool,
}

impl Need {
    pub const fn of<P>(name: &'static str) -> Self
    where
        Listener: Takes<P>,
    {
        Self {
            name,
            ask: <Listener as Takes<P>>::ASK,
            given: <Listener as Takes<P>>::GIVEN,
        }
    }

    pub(crate) fn state(&self) -> Option<StateNeed> {
        (self.ask)(self.name)
    }
}

impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Need({})", self.name)
    }
}

/// A function as a value that a static can hold: its type is its identity.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct FnKey {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl FnKey {
    pub const fn of<F: Copy + 'static>(_: &F) -> Self {
        Self {
            id: TypeId::of::<F>,
            name: std::any::type_name::<F>,
        }
    }

    /// The function's type.
    pub fn id(self) -> TypeId {
        (self.id)()
    }

    /// The function's path.
    pub fn name(self) -> &'static str {
        (self.name)()
    }
}

impl fmt::Debug for FnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `before = ..` and `after = ..` say.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Relation {
    pub(crate) before: bool,
    pub(crate) target: Target,
}

#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Target {
    Function(FnKey),
    Id(&'static str),
}

impl Target {
    pub const fn function<F: Copy + 'static>(f: &F) -> Self {
        Self::Function(FnKey::of(f))
    }
}

impl Relation {
    pub const fn before(target: Target) -> Self {
        Self {
            before: true,
            target,
        }
    }

    pub const fn after(target: Target) -> Self {
        Self {
            before: false,
            target,
        }
    }
}
