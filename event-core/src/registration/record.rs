//! What a listener says of itself.

use std::any::TypeId;
use std::fmt;
use std::panic::Location;

use crate::event::{Event, EventInfo};
use crate::listener::hear::{Heard, Hears};
use crate::listener::policy::Policy;
use crate::listener::returns::Gives;
use crate::listener::{Mode, Need, Phase, Relation};
use crate::registration::crate_of;
use crate::topic;

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

/// What a listener hears beside the type of its first parameter.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Selector {
    Pattern(&'static str),
    Type {
        info: fn() -> &'static EventInfo,
        topic: &'static str,
        /// Whether a bus may carry it.
        on_buses: bool,
    },
}

impl Selector {
    pub const fn of<E: Event>() -> Self {
        Self::Type {
            info: E::__info,
            topic: E::TOPIC,
            on_buses: E::__ON_BUSES,
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
