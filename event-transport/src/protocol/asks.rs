//! The parameters of a protocol's listener after the event: its transport, and what any listener may ask for.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use event_core::private::{EventOps, Param, Site, StateMap, protocol};
use event_core::{Bus, Context, ListenerInfo, StateNeed};
use event_runtime::event_loop::LoopItem;

#[cfg(unix)]
use super::family::PROCESSES;
use super::family::{ALL, DATAGRAMS, Families, Fit, STREAMS};
use crate::datagram::DatagramTransport;
#[cfg(unix)]
use crate::process::ProcessTransport;
use crate::stream::Transport;

/// The transport of a connection, by its kind.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    Stream(&'a Transport),
    Datagram(&'a DatagramTransport),
    #[cfg(unix)]
    Process(&'a ProcessTransport),
}

impl Way<'_> {
    /// Tells the loop's hook of a failure, and gives its words.
    pub(crate) fn tell_failed(
        self,
        name: &str,
        place: &'static Location<'static>,
        failed: Result<Box<dyn Error + Send + Sync>, Box<dyn Any + Send>>,
    ) -> String {
        let lp = match self {
            Self::Stream(transport) => transport.event_loop(),
            Self::Datagram(transport) => transport.event_loop(),
            #[cfg(unix)]
            Self::Process(transport) => transport.event_loop(),
        };
        lp.__tell(LoopItem::Listener, name, place, failed)
    }
}

/// What a listener is called with beside the event.
#[doc(hidden)]
pub struct Given<'a> {
    pub(crate) way: Way<'a>,
    pub(crate) bus: Option<&'a Bus>,
    /// What the parameters of the protocol are bound to, by their numbers.
    pub(crate) values: &'a [Option<Box<dyn Any>>],
    pub(crate) ops: fn() -> &'static EventOps,
    pub(crate) listener: ListenerInfo,
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", self.listener.id())
    }
}

impl Site for Given<'_> {
    fn context(&self) -> Context<'_> {
        let bus = self.bus;
        let bus = bus.expect("a protocol whose listeners ask for a context is bound to a bus");
        protocol::context(bus, (self.ops)(), &self.listener)
    }
}

/// Stands for every listener of a protocol in the errors about [`Asks`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Listener;

/// The parameter is the transport.
#[doc(hidden)]
#[derive(Debug)]
pub struct OfConnection;

/// The parameter is state of the bus, or the delivery.
#[doc(hidden)]
#[derive(Debug)]
pub struct OfBus;

/// Says that a listener of a protocol may ask for a parameter. `M` tells the kinds of parameters apart, and the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "a listener of a protocol cannot ask for `{P}`",
    label = "not a parameter of a protocol's listener",
    note = "after the event a listener of a protocol takes its transport, like `&Transport`, `&DatagramTransport` or `&ProcessTransport`, and `&T` (state), `Option<&T>` (optional state) or `Context<'_>`, where `T` is `Send + Sync`"
)]
#[doc(hidden)]
pub trait Asks<P, M> {
    type Item<'a>;

    const NEED: Option<OfTheBus>;
    /// Which connections have it.
    const FAMILIES: Families;

    fn get<'a>(bound: Option<&'a dyn Any>, given: &'a Given<'a>) -> Self::Item<'a>;
}

/// What a parameter needs of a bus.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct OfTheBus {
    pub(crate) state: fn(&'static str) -> Option<StateNeed>,
    pub(crate) is_given: fn(&StateMap) -> bool,
    pub(crate) bind: fn(&StateMap) -> Option<Box<dyn Any>>,
}

#[diagnostic::do_not_recommend]
impl Asks<&Transport, OfConnection> for Listener {
    type Item<'a> = &'a Transport;

    const NEED: Option<OfTheBus> = None;
    const FAMILIES: Families = STREAMS;

    #[inline]
    fn get<'a>(_: Option<&'a dyn Any>, given: &'a Given<'a>) -> &'a Transport {
        match given.way {
            Way::Stream(transport) => transport,
            _ => elsewhere(),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Asks<&DatagramTransport, OfConnection> for Listener {
    type Item<'a> = &'a DatagramTransport;

    const NEED: Option<OfTheBus> = None;
    const FAMILIES: Families = DATAGRAMS;

    #[inline]
    fn get<'a>(_: Option<&'a dyn Any>, given: &'a Given<'a>) -> &'a DatagramTransport {
        match given.way {
            Way::Datagram(transport) => transport,
            _ => elsewhere(),
        }
    }
}

#[cfg(unix)]
#[diagnostic::do_not_recommend]
impl Asks<&ProcessTransport, OfConnection> for Listener {
    type Item<'a> = &'a ProcessTransport;

    const NEED: Option<OfTheBus> = None;
    const FAMILIES: Families = PROCESSES;

    #[inline]
    fn get<'a>(_: Option<&'a dyn Any>, given: &'a Given<'a>) -> &'a ProcessTransport {
        match given.way {
            Way::Process(transport) => transport,
            _ => elsewhere(),
        }
    }
}

#[cold]
fn elsewhere() -> ! {
    unreachable!("a protocol is only at connections that have the transport it asks for")
}

#[diagnostic::do_not_recommend]
impl<P: Param> Asks<P, OfBus> for Listener {
    type Item<'a> = P::Item<'a>;

    const NEED: Option<OfTheBus> = Some(OfTheBus {
        state: P::ask,
        is_given: P::given,
        bind: |state| {
            let bound: Box<dyn Any> = Box::new(P::bind(state)?);
            Some(bound)
        },
    });
    const FAMILIES: Families = ALL;

    fn get<'a>(bound: Option<&'a dyn Any>, given: &'a Given<'a>) -> P::Item<'a> {
        let bound = bound.and_then(<dyn Any>::downcast_ref);
        let bound =
            bound.expect("the parameters of a protocol are bound before it has a connection");
        P::get(bound, given)
    }
}

/// One parameter. What is asked of its type is asked where this is made, so that a mistake is one error.
#[doc(hidden)]
#[derive(Debug)]
pub struct Ask<P, M> {
    of_bus: Option<OfTheBus>,
    families: Families,
    param: PhantomData<fn(P, M)>,
}

#[doc(hidden)]
pub const fn ask<P, M>() -> Ask<P, M>
where
    Listener: Asks<P, M>,
{
    Ask {
        of_bus: <Listener as Asks<P, M>>::NEED,
        families: <Listener as Asks<P, M>>::FAMILIES,
        param: PhantomData,
    }
}

impl<P, M> Ask<P, M> {
    /// Which connections have the parameter, whose type has this name.
    pub const fn fit(&self, name: &'static str) -> Fit {
        Fit {
            families: self.families,
            name,
        }
    }

    /// What the parameter with this number and name needs.
    pub const fn need(&self, number: usize, name: &'static str) -> Need {
        Need {
            number,
            name,
            of_bus: self.of_bus,
        }
    }
}

impl<P, M> Ask<P, M>
where
    Listener: Asks<P, M>,
{
    /// The value that the parameter with this number is called with.
    #[inline]
    #[expect(clippy::unused_self, reason = "it says which parameter")]
    pub fn get<'a>(
        &self,
        number: usize,
        given: &'a Given<'a>,
    ) -> <Listener as Asks<P, M>>::Item<'a> {
        let bound = given.values.get(number).and_then(Option::as_deref);
        <Listener as Asks<P, M>>::get(bound, given)
    }
}

/// What the compiler finds for a wrong type, of which it has said everything at [`ask`].
#[doc(hidden)]
pub trait AskFallback {
    fn get<T>(&self, _number: usize, _given: &Given<'_>) -> T {
        unreachable!("a program with a wrong parameter is not compiled")
    }
}

impl<P, M> AskFallback for Ask<P, M> {}

/// One parameter of a listener, and its number among all of the protocol.
#[doc(hidden)]
pub struct Need {
    pub(crate) number: usize,
    pub(crate) name: &'static str,
    pub(crate) of_bus: Option<OfTheBus>,
}

impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Need({})", self.name)
    }
}
