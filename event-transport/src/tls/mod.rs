//! TLS, by rustls: connections whose bytes nobody else reads or changes, and whose peer is known.
//!
//! [`TlsClient`] and [`TlsServer`] say whom a side trusts and who it is. [`tls()`] lays TLS around an address, and
//! [`Transport::start_tls`](crate::Transport::start_tls) begins it in the middle of a connection.

mod alpn;
mod certificate;
mod client;
mod error;
mod events;
mod facts;
mod identity;
mod layer;
mod limits;
mod pem;
mod server;
mod start;
mod stream;
mod why;

pub use client::{TlsClient, TlsClientBuilder};
pub use error::{TlsError, TlsErrorKind};
pub use events::HandshakeFailed;
pub(crate) use events::NotMade;
pub use facts::{ALPN, CIPHER_SUITE, PEER_CERTIFICATES, SERVER_NAME, TLS_VERSION};
pub(crate) use facts::{TlsFacts, TlsSlot};
pub(crate) use layer::{Layer, Secured};
pub use layer::{Tls, tls};
pub use pem::Pem;
pub use server::{TlsServer, TlsServerBuilder};
pub use start::{StartTls, TlsSide};
pub(crate) use stream::{ReadAhead, Secure};
pub(crate) use why::{is_gone, why};

/// The rustls that configurations of one's own are made with.
pub use tokio_rustls::rustls;
