//! The events that protocols hear.

use event_core::Event;
use event_core::private::{EventOps, Hears, hears};

use super::family::{ALL, DATAGRAMS, Families, Fit, PROCESSES, STREAMS};
use super::returns::{Reaction, Turned};
use crate::events::{
    BufferFilled, ConnectionLost, ConnectionMade, DataReceived, DatagramReceived, EofReceived,
    ErrorReceived, PipeClosed, PipeDataReceived, ProcessExited, WritingPaused, WritingResumed,
};

/// How many kinds there are.
pub(crate) const KINDS: usize = 12;

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
    Datagram(&'a DatagramReceived),
    Error(&'a ErrorReceived),
    PipeData(&'a PipeDataReceived),
    PipeClosed(&'a PipeClosed),
    Exited(&'a ProcessExited),
    Filled(&'a BufferFilled),
}

impl Occurred<'_> {
    /// The place of bytes that came.
    pub(crate) const DATA: usize = DataReceived::KIND;
    /// The place of bytes that are in the protocol's own memory.
    pub(crate) const FILLED: usize = BufferFilled::KIND;

    /// The place of bytes that came through a child's pipe.
    #[cfg(unix)]
    pub(crate) const PIPE_DATA: usize = PipeDataReceived::KIND;
    /// The place of a datagram.
    pub(crate) const DATAGRAM: usize = DatagramReceived::KIND;

    /// Its place in a table.
    pub(crate) fn kind(&self) -> usize {
        match self {
            Occurred::Made(_) => ConnectionMade::KIND,
            Occurred::Data(_) => DataReceived::KIND,
            Occurred::Eof(_) => EofReceived::KIND,
            Occurred::Lost(_) => ConnectionLost::KIND,
            Occurred::Paused(_) => WritingPaused::KIND,
            Occurred::Resumed(_) => WritingResumed::KIND,
            Occurred::Datagram(_) => DatagramReceived::KIND,
            Occurred::Error(_) => ErrorReceived::KIND,
            Occurred::PipeData(_) => PipeDataReceived::KIND,
            Occurred::PipeClosed(_) => PipeClosed::KIND,
            Occurred::Exited(_) => ProcessExited::KIND,
            Occurred::Filled(_) => BufferFilled::KIND,
        }
    }
}

/// An event that connections have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of a connection",
    label = "no connection has this event",
    note = "a protocol hears `ConnectionMade`, `ConnectionLost`, `WritingPaused` and `WritingResumed`; of a stream `DataReceived` (or `BufferFilled`) and `EofReceived`; of datagrams `DatagramReceived` and `ErrorReceived`; of a child process `PipeDataReceived`, `PipeClosed` and `ProcessExited`",
    note = "a `#[listener]` outside of the block hears all others"
)]
#[doc(hidden)]
pub trait ProtocolEvent: Event {
    const KIND: usize;
    /// Which connections have it.
    const FAMILIES: Families;
    fn of<'a>(occurred: &Occurred<'a>) -> Option<&'a Self>;
}

macro_rules! kinds {
    ($($event:ident $variant:ident $kind:literal $families:ident),+ $(,)?) => {
        $(
            impl ProtocolEvent for $event {
                const KIND: usize = $kind;
                const FAMILIES: Families = $families;

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
    ConnectionMade Made 0 ALL,
    DataReceived Data 1 STREAMS,
    EofReceived Eof 2 STREAMS,
    ConnectionLost Lost 3 ALL,
    WritingPaused Paused 4 ALL,
    WritingResumed Resumed 5 ALL,
    DatagramReceived Datagram 6 DATAGRAMS,
    ErrorReceived Error 7 DATAGRAMS,
    PipeDataReceived PipeData 8 PROCESSES,
    PipeClosed PipeClosed 9 PROCESSES,
    ProcessExited Exited 10 PROCESSES,
    BufferFilled Filled 11 STREAMS,
);

/// The type of a listener's first parameter. What is asked of it is asked here, so that a mistake is one error.
#[doc(hidden)]
#[derive(Debug)]
pub struct Heard<E> {
    pub(crate) kind: usize,
    pub(crate) ops: fn() -> &'static EventOps,
    pub(crate) hears: Hears,
    families: Families,
    of: for<'a> fn(&Occurred<'a>) -> Option<&'a E>,
}

#[doc(hidden)]
pub const fn heard<E: ProtocolEvent>() -> Heard<E> {
    Heard {
        kind: E::KIND,
        ops: E::__ops,
        hears: hears::<E>(),
        families: E::FAMILIES,
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

    /// Which connections have the event, whose type has this name.
    pub const fn fit(&self, name: &'static str) -> Fit {
        Fit {
            families: self.families,
            name,
        }
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
