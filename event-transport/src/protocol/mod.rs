//! What a protocol is: a table of functions, made by the attribute at compile time.

mod asks;
mod binding;
mod family;
mod held;
mod kind;
mod returns;
mod room;
mod table;

use std::fmt;

pub(crate) use asks::Way;
pub use asks::{AskFallback, Given, ask};
pub(crate) use binding::Binding;
pub use family::{DatagramProtocol, Family, Fits, ProcessProtocol, StreamProtocol};
pub use held::{Busy, ProtocolRef};
pub(crate) use held::{Connected, Gone, Held, Instance, Told};
pub use kind::{Occurred, check_once, heard};
pub use returns::Turned;
pub use room::{NoRoom, ReadInto, Room, RoomOf, check_room};
pub use table::Table;

/// What that means which a connection brings. Implemented by `#[protocol]` on an `impl` block, never by hand.
///
/// Each connection has an instance of its own, which its listeners change without a lock. They run in the item of the loop in which something came,
/// one after the other.
///
/// What the listeners hear and which transport they ask for says what the protocol is for: it is a [`StreamProtocol`], a [`DatagramProtocol`] or a
/// [`ProcessProtocol`]; one that has only what is common is all three.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol",
    label = "this type has no `#[protocol]` block",
    note = "put `#[protocol]` on an `impl {Self}` block, and `#[listener]` on its methods with `&mut self`"
)]
pub trait Protocol: Sized + 'static {
    #[doc(hidden)]
    const __TABLE: Table<Self>;

    #[doc(hidden)]
    const __ROOM: Option<Room<Self>> = None;

    #[doc(hidden)]
    type __Family;
}

/// The same table, whatever the protocol is.
impl<P> fmt::Debug for Table<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}
