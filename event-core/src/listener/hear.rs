//! What the first parameter of a listener may refer to: one event, or any event.
//!
//! The attribute cannot know what a type's name stands for, so a trait tells the two apart.

use std::any::{Any, TypeId};
use std::ops::Deref;
use std::sync::Arc;

use crate::build::installer::Installer;
use crate::delivery::Flights;
use crate::delivery::future_slot::FutureSlot;
use crate::delivery::lane::{Offer, Origin};
use crate::dispatch::any_event::AnyEvent;
use crate::dispatch::context::{Delivery, Handed};
use crate::dispatch::table::Run;
use crate::event::{Event, EventInfo, EventOps, Shared};
use crate::listener::returns::Step;

/// What a listener can hear: an event, or [`AnyEvent`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "this type is not declared with `#[event]`",
    note = "put `#[event]` on the declaration of `{Self}`, or listen to `&AnyEvent`"
)]
#[doc(hidden)]
pub trait Hear: 'static {
    /// The type behind the reference that the listener is given.
    type View<'a>;
    /// What an async delivery keeps of the event.
    type Share: 'static;
    /// What lends the listener its reference while the future runs.
    type Held<'a>: Deref<Target = Self::View<'a>>;

    const ANY: bool;
    const STOPPABLE: bool;
    const ON_BUSES: bool;
    const TOPIC: &'static str;

    fn heard() -> Heard;
    fn hold(share: &Self::Share) -> Self::Held<'_>;
    /// The payload for who does not know its type.
    fn payload(share: Self::Share) -> Option<Arc<dyn Any + Send + Sync>>;
    fn install_plain(installer: &mut Installer<'_>, f: for<'a, 'b> fn(&'b Self::View<'a>));
    fn install_bound(installer: &mut Installer<'_>, f: BoundFn<Self>);
    fn install_async(installer: &mut Installer<'_>, f: AsyncFn<Self>);
    fn install_queue(installer: &mut Installer<'_>, f: QueueFn<Self>);
}

/// A sync listener with its parameters bound.
#[doc(hidden)]
pub type BoundFn<P> =
    Box<dyn for<'a, 'b> Fn(&'b <P as Hear>::View<'a>, &Delivery<'_>) -> Step + Send + Sync>;
/// An async listener with its parameters bound: puts a delivery's future in the slot. `false` is one that its condition skipped.
#[doc(hidden)]
pub type AsyncFn<P> =
    Box<dyn Fn(<P as Hear>::Share, &Handed, &mut FutureSlot) -> bool + Send + Sync>;

/// What offers an event to a listener's queue.
#[doc(hidden)]
pub type QueueFn<P> = Box<dyn Fn(<P as Hear>::Share, Origin) -> Offer + Send + Sync>;

/// What the first parameter says.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Heard {
    One {
        info: fn() -> &'static EventInfo,
        ops: fn() -> &'static EventOps,
        type_id: fn() -> TypeId,
    },
    Any,
}

/// What a listener hears, without its type: a mistake in the type is reported where this is made, and nowhere else.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Hears {
    pub(crate) heard: fn() -> Heard,
    pub(crate) topic: &'static str,
    pub(crate) any: bool,
    pub(crate) stoppable: bool,
    pub(crate) on_buses: bool,
}

#[doc(hidden)]
pub const fn hears<P: Hear>() -> Hears {
    Hears {
        heard: P::heard,
        topic: P::TOPIC,
        any: P::ANY,
        stoppable: P::STOPPABLE,
        on_buses: P::ON_BUSES,
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> Hear for E {
    type View<'a> = E;
    type Share = Arc<E>;
    type Held<'a> = &'a E;

    const ANY: bool = false;
    const STOPPABLE: bool = E::__STOPPABLE;
    const ON_BUSES: bool = E::__ON_BUSES;
    const TOPIC: &'static str = E::TOPIC;

    fn heard() -> Heard {
        Heard::One {
            info: E::__info,
            ops: E::__ops,
            type_id: TypeId::of::<E>,
        }
    }

    fn hold(share: &Arc<E>) -> &E {
        share
    }

    fn payload(share: Arc<E>) -> Option<Arc<dyn Any + Send + Sync>> {
        E::__share().map(|sharing| (sharing.own)(share))
    }

    fn install_plain(installer: &mut Installer<'_>, f: fn(&E)) {
        installer.add(Run::<E>::Plain(f));
    }

    fn install_bound(installer: &mut Installer<'_>, f: BoundFn<E>) {
        installer.add(Run::<E>::Bound(f));
    }

    fn install_async(installer: &mut Installer<'_>, f: AsyncFn<E>) {
        let flights = installer.flights();
        installer.add(Run::<E>::Async(f, flights));
    }

    fn install_queue(installer: &mut Installer<'_>, f: QueueFn<E>) {
        installer.add(Run::<E>::Queue(f));
    }
}

#[diagnostic::do_not_recommend]
impl Hear for AnyEvent<'static> {
    type View<'a> = AnyEvent<'a>;
    type Share = SharedAny;
    type Held<'a> = HeldAny<'a>;

    const ANY: bool = true;
    const STOPPABLE: bool = false;
    const ON_BUSES: bool = true;
    const TOPIC: &'static str = "";

    fn heard() -> Heard {
        Heard::Any
    }

    fn hold(share: &SharedAny) -> HeldAny<'_> {
        HeldAny(AnyEvent::shared(share.ops, &*share.payload))
    }

    fn payload(share: SharedAny) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(share.payload)
    }

    fn install_plain(installer: &mut Installer<'_>, f: for<'a, 'b> fn(&'b AnyEvent<'a>)) {
        installer.add_any(AnyRun::Inline(Arc::new(move |event, _| {
            f(event);
            Step::Done
        })));
    }

    fn install_bound(installer: &mut Installer<'_>, f: BoundFn<Self>) {
        installer.add_any(AnyRun::Inline(Arc::from(f)));
    }

    fn install_async(installer: &mut Installer<'_>, f: AsyncFn<Self>) {
        let flights = installer.flights();
        installer.add_any(AnyRun::Async(Arc::from(f), flights));
    }

    fn install_queue(installer: &mut Installer<'_>, f: QueueFn<Self>) {
        installer.add_any(AnyRun::Queue(Arc::from(f)));
    }
}

/// A pattern listener before it is bound to an event type.
#[derive(Clone)]
pub(crate) enum AnyRun {
    Inline(Arc<AnyFn>),
    Async(Arc<AnyAsyncFn>, Arc<Flights>),
    Queue(Arc<AnyQueueFn>),
}

pub(crate) type AnyFn = dyn Fn(&AnyEvent<'_>, &Delivery<'_>) -> Step + Send + Sync;
pub(crate) type AnyQueueFn = dyn Fn(SharedAny, Origin) -> Offer + Send + Sync;
pub(crate) type AnyAsyncFn = dyn Fn(SharedAny, &Handed, &mut FutureSlot) -> bool + Send + Sync;

/// The part of an event that an async pattern delivery keeps.
#[doc(hidden)]
#[derive(Clone)]
pub struct SharedAny {
    pub(crate) ops: &'static EventOps,
    pub(crate) payload: Shared,
}

impl std::fmt::Debug for SharedAny {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedAny({})", (self.ops.info)().topic())
    }
}

/// Lends an [`AnyEvent`] for the time of a delivery.
#[doc(hidden)]
#[derive(Debug)]
pub struct HeldAny<'a>(AnyEvent<'a>);

impl<'a> Deref for HeldAny<'a> {
    type Target = AnyEvent<'a>;

    fn deref(&self) -> &AnyEvent<'a> {
        &self.0
    }
}
