//! Protocols that take bytes into memory of their own.

use std::fmt;
use std::marker::PhantomData;

use super::Table;

/// Has a stream's bytes read straight into memory of the protocol, which parses them where they are. Without it a protocol hears
/// [`DataReceived`](crate::DataReceived), with a copy of the bytes that it may keep.
///
/// It is implemented by the type of a `#[protocol]` block, which then hears [`BufferFilled`](crate::BufferFilled) in the
/// place of `DataReceived`.
///
/// ```
/// use tidings::transport::{BufferFilled, DataReceived, ReadInto, Transport, WriteError, connect, pair};
/// use tidings::{EventLoop, protocol};
///
/// /// Gives back the sum of every four bytes.
/// #[derive(Default)]
/// struct Sums {
///     buffer: [u8; 4],
///     filled: usize,
/// }
///
/// impl ReadInto for Sums {
///     fn buffer(&mut self) -> &mut [u8] {
///         &mut self.buffer[self.filled..]
///     }
/// }
///
/// #[protocol]
/// impl Sums {
///     #[listener]
///     fn filled(&mut self, e: &BufferFilled, t: &Transport) -> Result<(), WriteError> {
///         self.filled += e.bytes;
///         if self.filled == self.buffer.len() {
///             self.filled = 0;
///             t.write(vec![self.buffer.iter().sum()])?;
///         }
///         Ok(())
///     }
/// }
///
/// #[derive(Default)]
/// struct Client(Vec<u8>);
///
/// #[protocol]
/// impl Client {
///     #[listener]
///     fn data(&mut self, e: &DataReceived, t: &Transport) {
///         self.0.extend_from_slice(&e.data);
///         if self.0.len() == 2 {
///             t.close();
///         }
///     }
/// }
///
/// let lp = EventLoop::virtual_time();
/// let (ours, theirs) = pair();
/// let sums = lp.run_until_complete(async {
///     let _sums = connect::<Sums>(&lp, theirs).await?;
///     let (t, client) = connect::<Client>(&lp, ours).await?;
///     t.write(vec![1, 2, 3, 4, 5, 6, 7, 8])?;
///     t.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(client.with(|client| client.0.clone())?)
/// })??;
/// assert_eq!(sums, [10, 26]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReadInto {
    /// Where the next bytes go. It is called whenever the connection reads, also if nothing has come; how many bytes are at its start afterwards
    /// [`BufferFilled`](crate::BufferFilled) says.
    ///
    /// An empty buffer ends the connection with an error: a protocol that has no room pauses reading with
    /// [`pause_reading`](crate::Transport::pause_reading) before it is asked again.
    fn buffer(&mut self) -> &mut [u8];
}

/// Gives the memory of a protocol.
#[doc(hidden)]
pub type Room<P> = for<'a> fn(&'a mut P) -> &'a mut [u8];

/// Whether a type implements [`ReadInto`]: the constant here comes before that of [`NoRoom`], where there is one.
#[doc(hidden)]
pub struct RoomOf<P>(PhantomData<P>);

impl<P: ReadInto> RoomOf<P> {
    pub const ROOM: Option<Room<P>> = Some(P::buffer);
}

#[doc(hidden)]
pub trait NoRoom {
    type Protocol;
    const ROOM: Option<Room<Self::Protocol>>;
}

impl<P> NoRoom for RoomOf<P> {
    type Protocol = P;
    const ROOM: Option<Room<P>> = None;
}

impl<P> fmt::Debug for RoomOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomOf")
    }
}

/// That a protocol hears of the bytes in the way in which it takes them.
///
/// # Panics
///
/// If not: an error of the compiler, since it is called in a constant.
#[doc(hidden)]
#[track_caller]
pub const fn check_room<P>(table: &Table<P>, room: Option<Room<P>>) -> Option<Room<P>> {
    if room.is_some() {
        assert!(
            !table.hears_data(),
            "the type implements `ReadInto`: its protocol hears `BufferFilled` in the place of `DataReceived`"
        );
        assert!(
            table.hears_filled(),
            "the type implements `ReadInto`: its protocol needs a listener of `BufferFilled`, which says how many bytes came"
        );
    } else {
        assert!(
            !table.hears_filled(),
            "`BufferFilled` is heard by protocols whose type implements `ReadInto`, with which it says where the bytes go: implement it, or hear `DataReceived`"
        );
    }
    room
}
