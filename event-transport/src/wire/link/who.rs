//! Who a peer is: known before it says anything, or found out from what it shows.

#[cfg(feature = "tls")]
use std::net::SocketAddr;
#[cfg(feature = "tls")]
use std::sync::Arc;

use super::error::LinkError;
use crate::wire::access::Identity;
#[cfg(feature = "tls")]
use crate::wire::certificate::CertificateError;
use crate::wire::error::WireError;
use crate::wire::proto::frame::Hello;
#[cfg(feature = "tls")]
use crate::wire::secret::{Exporter, Secrets};

pub(super) enum Who {
    /// Whoever accepted the stream has found out.
    Known(Identity),
    #[cfg(feature = "tls")]
    Secured(Secured),
}

/// A peer on a connection with TLS.
#[cfg(feature = "tls")]
pub(super) struct Secured {
    pub(super) from: SocketAddr,
    pub(super) certificate: Option<Result<Identity, CertificateError>>,
    pub(super) exporter: Exporter,
    pub(super) secrets: Arc<Secrets>,
}

impl Who {
    /// Who said hello.
    pub(super) fn identify(&self, hello: &Hello) -> Result<Identity, WireError> {
        match self {
            Self::Known(_) if hello.proof.is_some() => Err(WireError::ProofWithoutTls),
            Self::Known(identity) => Ok(identity.clone()),
            #[cfg(feature = "tls")]
            Self::Secured(secured) => secured.identify(hello),
        }
    }

    /// The peer's name, for people, before it said hello, and what ended its connection.
    pub(super) fn unnamed(&self, error: &LinkError) -> (String, String) {
        match self {
            Self::Known(identity) => (identity.to_string(), error.to_string()),
            #[cfg(feature = "tls")]
            Self::Secured(secured) => from(secured.from, error),
        }
    }
}

/// The name of one that has not shown who it is, and what ended its connection, with its address.
#[cfg(feature = "tls")]
pub(super) fn from(address: SocketAddr, error: &LinkError) -> (String, String) {
    (String::new(), format!("{address}: {error}"))
}

#[cfg(feature = "tls")]
impl Secured {
    /// All that it shows must hold, and be of one.
    fn identify(&self, hello: &Hello) -> Result<Identity, WireError> {
        let proven = hello
            .proof
            .as_ref()
            .map(|proof| self.secrets.check(&self.exporter, hello, proof))
            .transpose()?;
        let certificate = match (&self.certificate, &proven) {
            (Some(Ok(identity)), _) => Some(identity.clone()),
            // One that names nobody says nothing beside a secret.
            (Some(Err(_)), Some(_)) | (None, _) => None,
            (Some(Err(why)), None) => return Err(WireError::Certificate(why.to_string())),
        };
        match (certificate, proven) {
            (None, None) => Err(WireError::NoIdentity),
            (Some(one), None) | (None, Some(one)) => Ok(one),
            (Some(certificate), Some(secret)) if certificate == secret => Ok(secret),
            (Some(certificate), Some(secret)) => Err(WireError::TwoIdentities {
                certificate,
                secret,
            }),
        }
    }
}
