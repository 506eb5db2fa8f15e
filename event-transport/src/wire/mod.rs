//! Typed events that cross a connection.
//!
//! A link carries events that are declared `#[event(serde)]` between two programs: what one side publishes, listeners of the other side hear
//! as if it were emitted there.

mod access;
#[cfg(feature = "tls")]
mod certificate;
mod codec;
mod envelope;
mod error;
mod events;
mod limits;
mod link;
#[doc(hidden)]
pub mod proto;
#[cfg(feature = "tls")]
mod secret;
mod shape;

pub use access::{Access, Identity, Right};
#[cfg(feature = "tls")]
pub use certificate::CertificateError;
pub use codec::{Codec, CodecError, Json};
pub use envelope::{Envelope, EventId};
pub use error::{Mismatch, WireError};
pub use events::{EventRefused, LinkClosed, LinkLost, LinkOpened, PlaintextLink};
pub use limits::Limits;
pub use link::{Link, LinkClient, LinkError, LinkServer, LinkSetupError, envelope};
pub use proto::frame::{Fault, Kind, Refusal, Rejection};
pub use proto::session::SessionStats;
#[cfg(feature = "tls")]
pub use secret::{Secret, Secrets, ShortSecret};
pub use shape::{Offer, Shape};
