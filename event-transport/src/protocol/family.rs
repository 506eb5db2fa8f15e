//! Which connections a protocol is for: streams, datagrams or child processes.

use super::Protocol;

/// A set of the kinds of connections, a bit for each.
pub(crate) type Families = u8;

pub(crate) const STREAMS: Families = 1;
pub(crate) const DATAGRAMS: Families = 2;
pub(crate) const PROCESSES: Families = 4;
pub(crate) const ALL: Families = STREAMS | DATAGRAMS | PROCESSES;

/// What an event or a parameter of a protocol's listener fits.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Fit {
    pub(super) families: Families,
    pub(super) name: &'static str,
}

/// What all events and parameters of a protocol fit together.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Fits {
    families: Families,
    /// What fits only this family.
    because: &'static str,
}

impl Fits {
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self {
            families: ALL,
            because: "",
        }
    }

    /// Adds an event or a parameter.
    ///
    /// # Panics
    ///
    /// If no connection has it and those before: an error of the compiler, since it is called in a constant.
    #[must_use]
    #[track_caller]
    pub const fn and(self, fit: Fit) -> Self {
        let families = self.families & fit.families;
        if families == 0 {
            let (mut text, mut length) = ([0; ROOM], 0);
            let pieces = [
                "no transport has both `",
                self.because,
                "` and `",
                fit.name,
                "`: a protocol is for streams, for datagrams or for child processes",
            ];
            let mut place = 0;
            while place < pieces.len() {
                length = append(&mut text, length, pieces[place]);
                place += 1;
            }
            let (text, _) = text.split_at(length);
            match std::str::from_utf8(text) {
                Ok(text) => panic!("{}", text),
                Err(_) => panic!("no transport has all that is in this block"),
            }
        }
        Self {
            families,
            because: if families == self.families {
                self.because
            } else {
                fit.name
            },
        }
    }

    /// The number of a [`Family`].
    pub const fn families(self) -> u8 {
        self.families
    }
}

/// How long the text of the error above may be.
const ROOM: usize = 1024;

/// What has no room is left out.
const fn append(text: &mut [u8; ROOM], mut length: usize, piece: &str) -> usize {
    let piece = piece.as_bytes();
    let mut place = 0;
    while place < piece.len() && length < ROOM {
        text[length] = piece[place];
        (length, place) = (length + 1, place + 1);
    }
    length
}

/// The connections that a protocol is for, as a type.
#[doc(hidden)]
#[derive(Debug)]
pub struct Family<const FAMILIES: u8>;

/// A protocol whose events and transport are those of streams, or common to all connections. Every `#[protocol]` block of such is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol of streams",
    label = "this type has no `#[protocol]` block",
    note = "put `#[protocol]` on an `impl {Self}` block, and `#[listener]` on its methods with `&mut self`"
)]
pub trait StreamProtocol: Protocol {}

/// A protocol whose events and transport are those of datagrams, or common to all connections. Every `#[protocol]` block of such is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol of datagrams",
    label = "this type has no `#[protocol]` block",
    note = "put `#[protocol]` on an `impl {Self}` block, and `#[listener]` on its methods with `&mut self`"
)]
pub trait DatagramProtocol: Protocol {}

/// A protocol whose events and transport are those of child processes, or common to all connections. Every `#[protocol]` block of such is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol of child processes",
    label = "this type has no `#[protocol]` block",
    note = "put `#[protocol]` on an `impl {Self}` block, and `#[listener]` on its methods with `&mut self`"
)]
pub trait ProcessProtocol: Protocol {}

impl<P: Protocol> StreamProtocol for P where P::__Family: OfStreams<P> {}
impl<P: Protocol> DatagramProtocol for P where P::__Family: OfDatagrams<P> {}
impl<P: Protocol> ProcessProtocol for P where P::__Family: OfProcesses<P> {}

#[diagnostic::on_unimplemented(
    message = "`{P}` is not a protocol of streams",
    label = "a protocol of streams is expected here",
    note = "`serve` and `connect` take a protocol of streams (`DataReceived`, `EofReceived`, `&Transport`), `endpoint` one of datagrams (`DatagramReceived`, `ErrorReceived`, `&DatagramTransport`), `process` one of child processes (`PipeDataReceived`, `PipeClosed`, `ProcessExited`, `&ProcessTransport`)"
)]
#[doc(hidden)]
pub trait OfStreams<P> {}

#[diagnostic::on_unimplemented(
    message = "`{P}` is not a protocol of datagrams",
    label = "a protocol of datagrams is expected here",
    note = "`endpoint` takes a protocol of datagrams (`DatagramReceived`, `ErrorReceived`, `&DatagramTransport`), `serve` and `connect` one of streams (`DataReceived`, `EofReceived`, `&Transport`), `process` one of child processes (`PipeDataReceived`, `PipeClosed`, `ProcessExited`, `&ProcessTransport`)"
)]
#[doc(hidden)]
pub trait OfDatagrams<P> {}

#[diagnostic::on_unimplemented(
    message = "`{P}` is not a protocol of child processes",
    label = "a protocol of child processes is expected here",
    note = "`process` takes a protocol of child processes (`PipeDataReceived`, `PipeClosed`, `ProcessExited`, `&ProcessTransport`), `serve` and `connect` one of streams, `endpoint` one of datagrams"
)]
#[doc(hidden)]
pub trait OfProcesses<P> {}

#[diagnostic::do_not_recommend]
impl<P> OfStreams<P> for Family<STREAMS> {}
#[diagnostic::do_not_recommend]
impl<P> OfStreams<P> for Family<ALL> {}
#[diagnostic::do_not_recommend]
impl<P> OfDatagrams<P> for Family<DATAGRAMS> {}
#[diagnostic::do_not_recommend]
impl<P> OfDatagrams<P> for Family<ALL> {}
#[diagnostic::do_not_recommend]
impl<P> OfProcesses<P> for Family<PROCESSES> {}
#[diagnostic::do_not_recommend]
impl<P> OfProcesses<P> for Family<ALL> {}
