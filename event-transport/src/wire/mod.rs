//! Typed events that cross a connection.
//!
//! A link carries events that are declared `#[event(serde)]` between two programs: what one side publishes, listeners of the other side hear
//! as if it were emitted there.

mod access;
mod codec;
mod envelope;
mod error;
mod events;
mod limits;
mod link;
#[doc(hidden)]
pub mod proto;
mod shape;

pub use access::{Access, Identity, Right};
pub use codec::{Codec, CodecError, Json};
pub use envelope::{Envelope, EventId};
pub use error::{Mismatch, WireError};
pub use events::{EventRefused, LinkLost, LinkOpened, PlaintextLink};
pub use limits::Limits;
pub use link::{Link, LinkClient, LinkError, LinkServer, LinkSetupError, envelope};
pub use proto::frame::{Fault, Kind, Refusal, Rejection};
pub use proto::session::SessionStats;
pub use shape::{Offer, Shape};
