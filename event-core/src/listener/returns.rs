//! What a listener may return, and what becomes of it.

use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::bus::Inner;
use crate::dispatch::Queue;
use crate::dispatch::emission::Emission;
use crate::dispatch::stack::Entry;
use crate::event::{Event, EventInfo};

/// How one call of a listener ended. One word of tag and one of pointer, so the loop tests a register.
#[doc(hidden)]
#[derive(Debug)]
pub enum Step {
    Done,
    /// The condition said no.
    Skipped,
    /// It was not there any more: a `once` that another thread took.
    Absent,
    Stopped,
    More(Box<Effects>),
}

/// What a listener's return value asks for.
#[doc(hidden)]
#[derive(Default)]
pub struct Effects {
    pub(crate) error: Option<Box<dyn Error + Send + Sync>>,
    pub(crate) stop: bool,
    pub(crate) events: Vec<Box<dyn Returned>>,
}

impl Step {
    /// Adds what this step has beside the count.
    pub(crate) fn gather(self, effects: &mut Effects) {
        match self {
            Step::Done | Step::Skipped | Step::Absent => {}
            Step::Stopped => effects.stop = true,
            Step::More(more) => {
                effects.stop |= more.stop;
                effects.events.extend(more.events);
                effects.error = effects.error.take().or(more.error);
            }
        }
    }
}

impl Effects {
    pub(crate) fn into_step(self) -> Step {
        match self {
            Effects {
                error: None,
                stop: false,
                events,
            } if events.is_empty() => Step::Done,
            Effects {
                error: None,
                stop: true,
                events,
            } if events.is_empty() => Step::Stopped,
            more => Step::More(Box::new(more)),
        }
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects")
            .field("error", &self.error)
            .field("stop", &self.stop)
            .field("events", &self.events.len())
            .finish()
    }
}

/// An event that a listener returned.
#[doc(hidden)]
pub trait Returned {
    /// Delivers it; what its listeners return joins the queue.
    fn emit(self: Box<Self>, bus: &Arc<Inner>, chain: &[Entry], queue: &mut Queue) -> Emission;
}

impl<E: Event> Returned for E {
    fn emit(self: Box<Self>, bus: &Arc<Inner>, chain: &[Entry], queue: &mut Queue) -> Emission {
        bus.emit_queued(*self, chain, queue)
    }
}

/// A return type of a listener.
#[diagnostic::on_unimplemented(
    message = "a listener cannot return `{Self}`",
    label = "not a listener's return type",
    note = "a listener returns `()`, an event, `Option<Event>`, `Vec<Event>`, a tuple of these, `ControlFlow<()>`, or a `Result` of one of them whose error converts into `Box<dyn Error + Send + Sync>`"
)]
#[doc(hidden)]
pub trait Returns: Sized {
    const STOPS: bool = false;
    /// Whether it may be an error.
    const FAILS: bool = false;

    fn emits(_events: &mut Vec<&'static EventInfo>) {}
    fn gather(self, effects: &mut Effects);

    #[inline]
    fn into_step(self) -> Step {
        let mut effects = Effects::default();
        self.gather(&mut effects);
        effects.into_step()
    }
}

/// What a listener returns, without its type: a mistake in the type is reported where this is made, and nowhere else.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Gives {
    pub(crate) emits: fn(&mut Vec<&'static EventInfo>),
    pub(crate) stops: bool,
    pub(crate) fails: bool,
}

#[doc(hidden)]
pub const fn gives<R: Returns>() -> Gives {
    Gives {
        emits: R::emits,
        stops: R::STOPS,
        fails: R::FAILS,
    }
}

#[diagnostic::do_not_recommend]
impl Returns for () {
    fn gather(self, _: &mut Effects) {}

    #[inline]
    fn into_step(self) -> Step {
        Step::Done
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> Returns for E {
    fn emits(events: &mut Vec<&'static EventInfo>) {
        events.push(E::__info());
    }

    fn gather(self, effects: &mut Effects) {
        effects.events.push(Box::new(self));
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> Returns for Option<E> {
    fn emits(events: &mut Vec<&'static EventInfo>) {
        events.push(E::__info());
    }

    fn gather(self, effects: &mut Effects) {
        effects
            .events
            .extend(self.map(|event| Box::new(event) as Box<dyn Returned>));
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> Returns for Vec<E> {
    fn emits(events: &mut Vec<&'static EventInfo>) {
        events.push(E::__info());
    }

    fn gather(self, effects: &mut Effects) {
        effects.events.extend(
            self.into_iter()
                .map(|event| Box::new(event) as Box<dyn Returned>),
        );
    }
}

#[diagnostic::do_not_recommend]
impl Returns for ControlFlow<()> {
    const STOPS: bool = true;

    fn gather(self, effects: &mut Effects) {
        effects.stop |= self.is_break();
    }
}

#[diagnostic::do_not_recommend]
impl<R: Returns, X: Into<Box<dyn Error + Send + Sync>>> Returns for Result<R, X> {
    const STOPS: bool = R::STOPS;
    const FAILS: bool = true;

    fn emits(events: &mut Vec<&'static EventInfo>) {
        R::emits(events);
    }

    fn gather(self, effects: &mut Effects) {
        match self {
            Ok(value) => value.gather(effects),
            Err(error) => effects.error = Some(error.into()),
        }
    }

    #[inline]
    fn into_step(self) -> Step {
        match self {
            Ok(value) => value.into_step(),
            Err(error) => Step::More(Box::new(Effects {
                error: Some(error.into()),
                ..Effects::default()
            })),
        }
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: Returns),+> Returns for ($($name,)+) {
            const STOPS: bool = $($name::STOPS)||+;
            const FAILS: bool = $($name::FAILS)||+;

            fn emits(events: &mut Vec<&'static EventInfo>) {
                $($name::emits(events);)+
            }

            #[allow(non_snake_case)]
            fn gather(self, effects: &mut Effects) {
                let ($($name,)+) = self;
                $($name.gather(effects);)+
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D F);
tuples!(A B C D F G);
tuples!(A B C D F G H);
tuples!(A B C D F G H I);
