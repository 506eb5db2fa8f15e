//! The records that the linker gathers. The only file that names `inventory`: another mechanism would change nothing else.

use std::any::TypeId;
use std::fmt;
use std::panic::Location;

use crate::event::{Event, EventInfo, EventOps};
use crate::hear::{Heard, Hears};
use crate::installer::Installer;
use crate::listener::{Mode, Need, Phase, Relation};
use crate::methods::Listeners;
use crate::policy::Policy;
use crate::returns::Gives;
use crate::topic;

/// One listener as the linker sees it: the function that describes it and installs it with its true types.
///
/// The description is no static, because the loader would have to write each of its addresses at the start of every program, and the
/// compiler to evaluate it in every check.
#[doc(hidden)]
#[must_use = "a description does nothing"]
pub struct Linked(fn(&mut Installer<'_>));

impl Linked {
    pub const fn new(listener: fn(&mut Installer<'_>)) -> Self {
        Self(listener)
    }

    pub(crate) fn registration(&self) -> Registration {
        let mut said = None;
        self.tell(&mut |registration| said = Some(*registration));
        said.expect("a listener describes itself before it is installed")
    }

    /// Calls `hear` with the description.
    pub(crate) fn tell(&self, hear: &mut dyn FnMut(&Registration)) {
        (self.0)(&mut Installer::new(
            &mut |registration| {
                hear(registration);
                false
            },
            None,
        ));
    }

    pub(crate) fn install(&self, installer: &mut Installer<'_>) {
        (self.0)(installer);
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.registration(), f)
    }
}

/// The description of one listener.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[must_use = "a description does nothing"]
pub struct Registration {
    pub(crate) key: fn() -> TypeId,
    pub(crate) id: &'static str,
    /// The module, `::` and the function.
    path: &'static str,
    name: usize,
    pub(crate) heard: fn() -> Heard,
    pub(crate) selectors: &'static [Selector],
    pub(crate) docs: &'static str,
    pub(crate) phase: Phase,
    pub(crate) asynchronous: bool,
    pub(crate) replies: bool,
    pub(crate) policy: Policy,
    /// What of its ways only its own code knows, beside the condition.
    pub(crate) in_code: Option<&'static str>,
    pub(crate) relations: &'static [Relation],
    pub(crate) condition: Option<&'static str>,
    pub(crate) needs: &'static [Need],
    pub(crate) emits: &'static [fn() -> &'static EventInfo],
    pub(crate) returns: fn(&mut Vec<&'static EventInfo>),
    pub(crate) location: &'static Location<'static>,
}

/// The listener methods of one type as the linker sees them: known by function, but not installed before an instance is attached.
#[doc(hidden)]
#[must_use = "a description does nothing"]
pub struct LinkedMethods(fn(&mut Tell<'_>));

type Tell<'a> = dyn FnMut(&Registration) + 'a;

impl LinkedMethods {
    pub const fn of<T: Listeners>() -> Self {
        Self(|hear| {
            for method in T::__listeners() {
                hear(method.registration());
            }
        })
    }
}

impl fmt::Debug for LinkedMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkedMethods")
    }
}

/// What a listener hears beside the type of its first parameter.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Selector {
    Pattern(&'static str),
    Type {
        info: fn() -> &'static EventInfo,
        topic: &'static str,
    },
}

impl Selector {
    pub const fn of<E: Event>() -> Self {
        Self::Type {
            info: E::__info,
            topic: E::TOPIC,
        }
    }
}

impl Registration {
    /// The function's name is the last `name` bytes of `path`.
    #[track_caller]
    pub const fn new<F: Copy + 'static>(_: &F, path: &'static str, name: usize) -> Self {
        Self::at(TypeId::of::<F>, path, name, Location::caller())
    }

    // Apart, so that a listener's own code is a call.
    #[inline(never)]
    const fn at(
        key: fn() -> TypeId,
        path: &'static str,
        name: usize,
        location: &'static Location<'static>,
    ) -> Self {
        Self {
            key,
            id: path,
            path,
            name,
            heard: || Heard::Any,
            selectors: &[],
            docs: "",
            phase: Phase::Main,
            asynchronous: false,
            replies: false,
            policy: Policy::asynchronous(),
            in_code: None,
            relations: &[],
            condition: None,
            needs: &[],
            emits: &[],
            returns: |_| {},
            location,
        }
    }

    pub const fn id(mut self, id: &'static str) -> Self {
        self.id = id;
        self
    }

    pub const fn hears(mut self, hears: Hears) -> Self {
        self.heard = hears.heard;
        self
    }

    pub const fn selectors(mut self, selectors: &'static [Selector]) -> Self {
        self.selectors = selectors;
        self
    }

    pub const fn returns(mut self, gives: Gives) -> Self {
        self.returns = gives.emits;
        self
    }

    pub const fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    /// Only some errors are worth a retry.
    pub const fn retries_some(mut self) -> Self {
        self.in_code = Some("`retry_if`");
        self
    }

    /// Each key of its events has a time of its own.
    pub const fn timed_by_key(mut self) -> Self {
        self.in_code = Some("time for each key");
        self
    }

    pub const fn replies(mut self) -> Self {
        self.replies = true;
        self
    }

    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    pub const fn early(mut self) -> Self {
        self.phase = Phase::Early;
        self
    }

    pub const fn late(mut self) -> Self {
        self.phase = Phase::Late;
        self
    }

    pub const fn relations(mut self, relations: &'static [Relation]) -> Self {
        self.relations = relations;
        self
    }

    pub const fn condition(mut self, text: &'static str) -> Self {
        self.condition = Some(text);
        self
    }

    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    pub const fn emits(mut self, events: &'static [fn() -> &'static EventInfo]) -> Self {
        self.emits = events;
        self
    }

    pub(crate) fn module(&self) -> &'static str {
        &self.path[..self.path.len() - self.name - "::".len()]
    }

    pub(crate) fn function(&self) -> &'static str {
        &self.path[self.path.len() - self.name..]
    }

    pub(crate) fn crate_name(&self) -> &'static str {
        crate_of(self.path)
    }

    /// Whether an event of this topic and type is among those it hears.
    pub(crate) fn selects(&self, info: &'static EventInfo) -> bool {
        self.selectors.iter().any(|selector| match selector {
            Selector::Pattern(pattern) => topic::matches(pattern, info.topic()),
            Selector::Type { info: other, .. } => std::ptr::eq(other(), info),
        })
    }

    pub(crate) fn mode(&self) -> Mode {
        if self.policy.period().is_some() {
            Mode::Every
        } else if self.policy.debounce_time().is_some() {
            Mode::Debounce
        } else if self.policy.throttle_period().is_some() {
            Mode::Throttle
        } else if self.policy.queue_capacity().is_some() {
            Mode::Queue
        } else if self.asynchronous {
            Mode::Async
        } else {
            Mode::Inline
        }
    }

    /// Whether its parameter is this event.
    pub(crate) fn is_of(&self, event: &'static EventInfo) -> bool {
        matches!((self.heard)(), Heard::One { info, .. } if std::ptr::eq(info(), event))
    }

    /// Whether its parameter is any event.
    pub(crate) fn hears_any(&self) -> bool {
        matches!((self.heard)(), Heard::Any)
    }

    /// Whether an event of this declaration reaches it.
    pub(crate) fn reached_by(&self, event: &'static EventInfo) -> bool {
        match (self.heard)() {
            Heard::One { info, .. } => std::ptr::eq(info(), event),
            Heard::Any => self.selects(event),
        }
    }

    pub(crate) fn topics(&self) -> Vec<&'static str> {
        match (self.heard)() {
            Heard::One { info, .. } => vec![info().topic()],
            Heard::Any => self
                .selectors
                .iter()
                .map(|selector| match selector {
                    Selector::Pattern(pattern) => *pattern,
                    Selector::Type { topic, .. } => topic,
                })
                .collect(),
        }
    }

    pub(crate) fn emitted(&self) -> Vec<&'static EventInfo> {
        let mut events = Vec::new();
        (self.returns)(&mut events);
        events.extend(self.emits.iter().map(|info| info()));
        let mut seen = Vec::new();
        events.retain(|event| {
            let new = !seen.contains(&event.topic());
            seen.push(event.topic());
            new
        });
        events
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({} at {})", self.id, self.location)
    }
}

/// One event declaration as the linker sees it.
#[doc(hidden)]
#[derive(Debug)]
pub struct EventRegistration {
    pub(crate) info: &'static EventInfo,
    pub(crate) ops: Option<fn() -> &'static EventOps>,
}

impl EventRegistration {
    pub const fn new(info: &'static EventInfo, ops: Option<fn() -> &'static EventOps>) -> Self {
        Self { info, ops }
    }
}

/// One crate that a binary asked for by [`link!`](crate::link).
#[doc(hidden)]
#[derive(Debug)]
pub struct LinkRequest {
    pub(crate) name: &'static str,
    pub(crate) location: &'static Location<'static>,
}

impl LinkRequest {
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            location: Location::caller(),
        }
    }
}

/// A record of our own: where it is missing, the platform gathered nothing.
struct Sentinel;

inventory::collect!(Linked);
inventory::collect!(LinkedMethods);
inventory::collect!(EventRegistration);
inventory::collect!(LinkRequest);
inventory::collect!(Sentinel);
inventory::submit! { Sentinel }

#[doc(hidden)]
pub use inventory::submit;

pub(crate) fn linked_listeners() -> impl Iterator<Item = &'static Linked> {
    inventory::iter::<Linked>.into_iter()
}

/// The listener method that is the function of this key.
pub(crate) fn linked_method(key: TypeId) -> Option<Registration> {
    let mut found = None;
    for methods in inventory::iter::<LinkedMethods> {
        (methods.0)(&mut |method| {
            if (method.key)() == key {
                found = Some(*method);
            }
        });
    }
    found
}

/// Every listener method of the program.
pub(crate) fn linked_methods() -> Vec<Registration> {
    let mut found = Vec::new();
    for methods in inventory::iter::<LinkedMethods> {
        (methods.0)(&mut |method| found.push(*method));
    }
    found
}

pub(crate) fn linked_events() -> impl Iterator<Item = &'static EventRegistration> {
    inventory::iter::<EventRegistration>.into_iter()
}

pub(crate) fn link_requests() -> impl Iterator<Item = &'static LinkRequest> {
    inventory::iter::<LinkRequest>.into_iter()
}

/// Whether the platform runs what gathers the records.
pub(crate) fn platform_gathers() -> bool {
    inventory::iter::<Sentinel>.into_iter().next().is_some()
}

/// The first segment of a module path.
pub(crate) fn crate_of(module: &'static str) -> &'static str {
    module.split(':').next().unwrap_or(module)
}
