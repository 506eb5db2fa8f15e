//! The linked program as data.

use std::fmt;
use std::sync::OnceLock;

use crate::delivery::tick::Tick;
use crate::event::{Event as _, EventInfo};
use crate::listener::ListenerInfo;
use crate::registration::Registration;
use crate::registry::Registry;

/// Every event and listener that is linked into the program.
///
/// ```standalone_crate
/// use tidings::{event, listener};
///
/// #[event("orders.placed")]
/// struct Placed;
///
/// #[listener(id = "billing.charge")]
/// fn charge(_: &Placed) {}
///
/// let catalog = tidings::catalog();
/// assert_eq!(catalog.events()[0].topic(), "orders.placed");
/// assert_eq!(catalog.listeners()[0].id(), "billing.charge");
/// assert!(catalog.to_string().contains("billing.charge"));
/// ```
pub struct Catalog {
    events: Vec<&'static EventInfo>,
    listeners: Vec<ListenerInfo>,
    /// Each listener described once: to ask it again for every event would grow with both.
    said: Vec<Registration>,
}

/// The catalog of this program.
pub fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let registry = Registry::get();
        let said: Vec<Registration> = registry.registrations().collect();
        let is_heard = |info| said.iter().any(|said| said.reached_by(info));
        let events = registry.events.iter();
        let shown = events.filter(|event| !event.is_own || is_heard(event.info));
        Catalog {
            events: shown.map(|event| event.info).collect(),
            listeners: (0..registry.listeners.len())
                .map(|index| registry.info(index))
                .collect(),
            said,
        }
    })
}

impl Catalog {
    /// The version of the shape that `to_json` writes.
    pub const FORMAT_VERSION: u32 = 1;

    /// The events, by topic.
    pub fn events(&self) -> &[&'static EventInfo] {
        &self.events
    }

    /// The listeners, in the order in which they run where no `before` or `after` says otherwise.
    pub fn listeners(&self) -> &[ListenerInfo] {
        &self.listeners
    }

    /// The listeners that hear an event, in the same order.
    pub fn listeners_of(&self, event: &'static EventInfo) -> Vec<&ListenerInfo> {
        let said = self.listeners.iter().zip(&self.said);
        said.filter(|(_, said)| said.reached_by(event))
            .map(|(listener, _)| listener)
            .collect()
    }

    /// The catalog as JSON, with its `format_version`.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> String {
        crate::json::catalog(self)
    }
}

/// A table for a terminal: each event with its listeners below, and the listeners that tick.
impl fmt::Display for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in &self.events {
            let reply = event
                .reply()
                .map(|reply| format!("  replies {reply}"))
                .unwrap_or_default();
            writeln!(
                f,
                "{} v{}  {}{reply}  ({})",
                event.topic(),
                event.version(),
                event.type_name(),
                event.location()
            )?;
            let listeners = self.listeners_of(event);
            for listener in &listeners {
                let condition = listener
                    .condition()
                    .map(|text| format!("  when {text}"))
                    .unwrap_or_default();
                let answers = if listener.replies() { "  answers" } else { "" };
                writeln!(
                    f,
                    "    {}  {}  {}{answers}{condition}  ({})",
                    listener.id(),
                    listener.phase(),
                    listener.mode(),
                    listener.location()
                )?;
            }
            if listeners.is_empty() {
                writeln!(f, "    nobody")?;
            }
        }
        let mut ticking = (self.listeners.iter())
            .filter_map(|listener| Some((listener, listener.policy()?.period()?)))
            .peekable();
        if ticking.peek().is_some() {
            writeln!(f, "{}", Tick::TOPIC)?;
        }
        ticking.try_for_each(|(listener, period)| {
            let (id, place) = (listener.id(), listener.location());
            writeln!(f, "    {id}  every {period:?}  ({place})")
        })
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog")
            .field("events", &self.events.len())
            .field("listeners", &self.listeners.len())
            .finish_non_exhaustive()
    }
}
