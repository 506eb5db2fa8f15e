//! What a protocol is: a table of functions, made by the attribute at compile time.

mod asks;
mod binding;
mod held;
mod kind;
mod returns;
mod table;

use std::fmt;

pub use asks::{AskFallback, Given, ask};
pub(crate) use binding::Binding;
pub use held::{Busy, ProtocolRef};
pub(crate) use held::{Gone, Held, Instance, Told};
pub use kind::{Occurred, check_once, heard};
pub use returns::Turned;
pub use table::Table;

/// What the bytes of a connection mean. Implemented by `#[protocol]` on an `impl` block, never by hand.
///
/// Each connection has an instance of its own, which its listeners change without a lock. They run in the item of the loop in which something came,
/// one after the other.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol",
    label = "this type has no `#[protocol]` block",
    note = "put `#[protocol]` on an `impl {Self}` block, and `#[listener]` on its methods with `&mut self`"
)]
pub trait Protocol: Sized + 'static {
    #[doc(hidden)]
    const __TABLE: Table<Self>;
}

/// The same table, whatever the protocol is.
impl<P> fmt::Debug for Table<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}
