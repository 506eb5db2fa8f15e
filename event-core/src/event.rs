//! What an event is: the trait that `#[event]` implements, and the static description that travels with it.

pub(crate) mod slot;

use std::any::{Any, TypeId};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::dispatch::table::{self, Cell, Drafted, Erased, NotSend};
use crate::event::slot::{Index, Slot};
use crate::listener::hear::AnyRun;

/// A struct or enum that can be emitted. Implemented by the attribute `#[event]`, never by hand.
///
/// An event is a fact with a name: the struct is its payload, [`TOPIC`](Event::TOPIC) is its name. Whoever emits it does not know who
/// listens, and a listener does not know who emits.
///
/// ```standalone_crate
/// use tidings::{Event, event};
///
/// #[event("orders.placed", version = 2)]
/// struct OrderPlaced {
///     order: u64,
/// }
///
/// assert_eq!(OrderPlaced::TOPIC, "orders.placed");
/// assert_eq!(OrderPlaced::VERSION, 2);
/// ```
///
/// Without a topic in the attribute it is the type's name in snake case (`NewOrder` becomes `new_order`). The only bound is `'static`;
/// async listeners also need the payload to be `Send + Sync`, and the compiler says so at the listener.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "this type is not declared with `#[event]`",
    note = "put `#[event]` on the declaration of `{Self}`"
)]
pub trait Event: Sized + 'static {
    /// The name of the event: 1 to 16 segments joined by `.`.
    const TOPIC: &'static str;
    /// The version of the payload's shape, 1 unless the attribute says otherwise.
    const VERSION: u32;

    #[doc(hidden)]
    const __STOPPABLE: bool;
    /// A bus may carry it. Otherwise only the protocol of a connection is told of it.
    #[doc(hidden)]
    const __ON_BUSES: bool = true;
    #[doc(hidden)]
    fn __slot() -> Option<&'static Slot<Self>>;
    #[doc(hidden)]
    fn __info() -> &'static EventInfo;
    #[doc(hidden)]
    fn __ops() -> &'static EventOps;
    #[doc(hidden)]
    fn __share() -> Option<Sharing<Self>>;
}

/// A payload that several threads may hold.
#[doc(hidden)]
pub type Shared = Arc<dyn Any + Send + Sync>;

/// How a payload that several threads may hold is given to them.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sharing<T> {
    pub(crate) own: fn(Arc<T>) -> Shared,
    pub(crate) view: fn(&T) -> &(dyn Any + Send + Sync),
}

/// What happens to an event that reached nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unheard {
    /// Nothing (the default).
    #[default]
    Ignore,
    /// A warning, once per bus and event.
    Warn,
    /// A failure of the kind [`Unheard`](crate::FailureKind::Unheard) in the report.
    Error,
}

/// What it means that no listener of the program answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unanswered {
    /// Nothing: the requests fail with [`NoListener`](crate::RequestErrorKind::NoListener).
    Ignore,
    /// No bus with linked listeners can be built (the default).
    #[default]
    Error,
}

/// One field of an event, or one variant of an event that is an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    name: &'static str,
    ty: &'static str,
}

impl Field {
    #[doc(hidden)]
    pub const fn new(name: &'static str, ty: &'static str) -> Self {
        Self { name, ty }
    }

    /// The field's name; `0`, `1`, .. in a tuple struct.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The field's type as written in the source; for a variant its fields, or nothing.
    pub fn ty(&self) -> &'static str {
        self.ty
    }
}

/// The static description of one event declaration.
///
/// ```standalone_crate
/// use tidings::event;
///
/// /// A customer paid.
/// #[event("billing.paid")]
/// struct Paid {
///     cents: u64,
/// }
///
/// let catalog = tidings::catalog();
/// let paid = catalog.events().iter().find(|e| e.topic() == "billing.paid").unwrap();
/// assert_eq!(paid.docs(), "A customer paid.");
/// assert_eq!(paid.fields()[0].name(), "cents");
/// ```
#[must_use = "a description does nothing"]
pub struct EventInfo {
    topic: &'static str,
    version: u32,
    type_name: &'static str,
    docs: &'static str,
    fields: &'static [Field],
    stoppable: bool,
    unheard: Unheard,
    reply: Option<&'static str>,
    unanswered: Unanswered,
    generic: bool,
    location: &'static Location<'static>,
}

impl EventInfo {
    #[doc(hidden)]
    #[track_caller]
    pub const fn new(topic: &'static str, version: u32, type_name: &'static str) -> Self {
        Self {
            topic,
            version,
            type_name,
            docs: "",
            fields: &[],
            stoppable: false,
            unheard: Unheard::Ignore,
            reply: None,
            unanswered: Unanswered::Error,
            generic: false,
            location: Location::caller(),
        }
    }

    #[doc(hidden)]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    #[doc(hidden)]
    pub const fn with_fields(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }

    #[doc(hidden)]
    pub const fn with_stoppable(mut self) -> Self {
        self.stoppable = true;
        self
    }

    #[doc(hidden)]
    pub const fn with_unheard(mut self, unheard: Unheard) -> Self {
        self.unheard = unheard;
        self
    }

    #[doc(hidden)]
    pub const fn with_reply(mut self, ty: &'static str) -> Self {
        self.reply = Some(ty);
        self
    }

    #[doc(hidden)]
    pub const fn with_unanswered(mut self, unanswered: Unanswered) -> Self {
        self.unanswered = unanswered;
        self
    }

    #[doc(hidden)]
    pub const fn with_generic(mut self) -> Self {
        self.generic = true;
        self
    }

    /// The name of the event.
    pub fn topic(&self) -> &'static str {
        self.topic
    }

    /// The version of the payload's shape.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The payload's type with its module, as declared.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The doc comment of the declaration, without indentation.
    pub fn docs(&self) -> &'static str {
        self.docs
    }

    /// The fields of a struct, or the variants of an enum, in the order of the source.
    pub fn fields(&self) -> &'static [Field] {
        self.fields
    }

    /// Whether a listener may end the run by returning `ControlFlow::Break`.
    pub fn is_stoppable(&self) -> bool {
        self.stoppable
    }

    /// What happens when nobody hears it.
    pub fn unheard(&self) -> Unheard {
        self.unheard
    }

    /// The type that it is answered with as written in the source, if it is a request.
    pub fn reply(&self) -> Option<&'static str> {
        self.reply
    }

    /// What it means that no listener of the program answers it.
    pub fn unanswered(&self) -> Unanswered {
        self.unanswered
    }

    /// Whether the type has parameters; its instantiations share the topic.
    pub fn is_generic(&self) -> bool {
        self.generic
    }

    /// Where it is declared.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Debug for EventInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventInfo")
            .field("topic", &self.topic)
            .field("type_name", &self.type_name)
            .finish_non_exhaustive()
    }
}

/// What can be done with an event type whose name is not known: made by generated code, one per type.
#[doc(hidden)]
#[must_use = "a description does nothing"]
pub struct EventOps {
    pub(crate) type_id: fn() -> TypeId,
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) index: fn() -> Option<&'static Index>,
    pub(crate) info: fn() -> &'static EventInfo,
    pub(crate) bind_any: fn(AnyRun) -> Result<Erased, NotSend>,
    pub(crate) drafted: fn() -> Box<dyn Drafted>,
    pub(crate) keep: fn(&Cell, bool),
    #[cfg(feature = "json")]
    pub(crate) json: Option<crate::json::Codec>,
}

impl EventOps {
    pub const fn of<E: Event>() -> Self {
        Self {
            type_id: TypeId::of::<E>,
            type_name: std::any::type_name::<E>,
            index: || E::__slot().map(Slot::index),
            info: E::__info,
            bind_any: table::bind_any::<E>,
            drafted: table::drafted::<E>,
            keep: table::keep::<E>,
            #[cfg(feature = "json")]
            json: None,
        }
    }

    /// Whether both are of one type. Addresses do not tell: a constant may be at several.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.type_id)() == (other.type_id)()
    }

    /// Takes the place of the real one, so that the missing feature is the only error.
    #[cfg(not(feature = "json"))]
    pub const fn json(self, (): ()) -> Self {
        self
    }

    #[cfg(feature = "json")]
    pub const fn json(mut self, codec: crate::json::Codec) -> Self {
        self.json = Some(codec);
        self
    }
}

impl fmt::Debug for EventOps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventOps({})", (self.type_name)())
    }
}

/// Finds out whether a payload is `Send + Sync`: the inherent method wins where its bound holds, else the trait's method is found.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<T>(std::marker::PhantomData<T>);

impl<T> Probe<T> {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: Send + Sync + 'static> Probe<T> {
    pub fn share(&self) -> Option<Sharing<T>> {
        Some(Sharing {
            own: |this| this,
            view: |this| this,
        })
    }
}

#[doc(hidden)]
pub trait ShareFallback<T> {
    fn share(&self) -> Option<Sharing<T>>;
}

impl<T> ShareFallback<T> for Probe<T> {
    fn share(&self) -> Option<Sharing<T>> {
        None
    }
}
