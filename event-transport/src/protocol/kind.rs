//! The events that protocols hear.

use event_core::Event;
use event_core::private::{EventOps, Hears, hears};

use super::returns::{Reaction, Turned};
use crate::events::{
    ConnectionLost, ConnectionMade, DataReceived, EofReceived, WritingPaused, WritingResumed,
};

/// How many kinds there are.
pub(crate) const KINDS: usize = 6;

/// What a protocol is told of.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Occurred<'a> {
    Made(&'a ConnectionMade),
    Data(&'a DataReceived),
    Eof(&'a EofReceived),
    Lost(&'a ConnectionLost),
    Paused(&'a WritingPaused),
    Resumed(&'a WritingResumed),
}

impl Occurred<'_> {
    /// The place of bytes that came.
    pub(crate) const DATA: usize = DataReceived::KIND;

    /// Its place in a table.
    pub(crate) fn kind(&self) -> usize {
        match self {
            Occurred::Made(_) => ConnectionMade::KIND,
            Occurred::Data(_) => DataReceived::KIND,
            Occurred::Eof(_) => EofReceived::KIND,
            Occurred::Lost(_) => ConnectionLost::KIND,
            Occurred::Paused(_) => WritingPaused::KIND,
            Occurred::Resumed(_) => WritingResumed::KIND,
        }
    }
}

/// An event that connections have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of a connection",
    label = "no connection has this event",
    note = "a protocol hears `ConnectionMade`, `DataReceived`, `EofReceived`, `ConnectionLost`, `WritingPaused` and `WritingResumed`; a `#[listener]` outside of the block hears all others"
)]
#[doc(hidden)]
pub trait ProtocolEvent: Event {
    const KIND: usize;
    fn of<'a>(occurred: &Occurred<'a>) -> Option<&'a Self>;
}

macro_rules! kinds {
    ($($event:ident $variant:ident $kind:literal),+ $(,)?) => {
        $(
            impl ProtocolEvent for $event {
                const KIND: usize = $kind;

                fn of<'a>(occurred: &Occurred<'a>) -> Option<&'a Self> {
                    match occurred {
                        Occurred::$variant(event) => Some(event),
                        _ => None,
                    }
                }
            }
        )+
    };
}

kinds!(
    ConnectionMade Made 0,
    DataReceived Data 1,
    EofReceived Eof 2,
    ConnectionLost Lost 3,
    WritingPaused Paused 4,
    WritingResumed Resumed 5,
);

/// The type of a listener's first parameter. What is asked of it is asked here, so that a mistake is one error.
#[doc(hidden)]
#[derive(Debug)]
pub struct Heard<E> {
    pub(crate) kind: usize,
    pub(crate) ops: fn() -> &'static EventOps,
    pub(crate) hears: Hears,
    of: for<'a> fn(&Occurred<'a>) -> Option<&'a E>,
}

#[doc(hidden)]
pub const fn heard<E: ProtocolEvent>() -> Heard<E> {
    Heard {
        kind: E::KIND,
        ops: E::__ops,
        hears: hears::<E>(),
        of: E::of,
    }
}

/// That a listener hears another event than those before it in its protocol.
///
/// # Panics
///
/// If not: an error of the compiler, since it is called in a constant.
#[doc(hidden)]
#[track_caller]
pub const fn check_once(earlier: &[usize], kind: usize) {
    let mut place = 0;
    while place < earlier.len() {
        assert!(
            earlier[place] != kind,
            "a protocol has one listener for each event, and one above hears this event as well: join them"
        );
        place += 1;
    }
}

impl<E> Heard<E> {
    /// The event's place in a table.
    pub const fn kind(&self) -> usize {
        self.kind
    }

    /// The event, which is always of this type: the table has the listener at its place.
    #[inline]
    pub fn event<'a>(&self, occurred: &Occurred<'a>) -> &'a E {
        (self.of)(occurred).expect("a listener stands at the place of its event")
    }

    /// Takes what the listener returned.
    #[inline]
    #[expect(clippy::unused_self, reason = "it says which event")]
    pub fn returned<R: Reaction<E>>(&self, value: R) -> Turned {
        value.turned()
    }
}
