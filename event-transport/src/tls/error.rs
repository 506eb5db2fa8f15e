//! Why there is no configuration of TLS.

use std::error::Error;
use std::fmt;

use tokio_rustls::rustls;

use crate::words::debug_as_display;

/// What is wrong with a certificate, a key or another part of a configuration.
///
/// ```
/// use tidings::transport::tls::{Pem, TlsClient, TlsErrorKind};
///
/// let error = TlsClient::builder().roots(Pem::text("ca.pem")).build().unwrap_err();
/// assert_eq!(error.kind(), TlsErrorKind::Certificate);
/// assert_eq!(
///     error.to_string(),
///     "`roots`: no certificate in the text: it has nothing in the PEM format; for a file write `Pem::file(\"ca.pem\")`"
/// );
/// ```
pub struct TlsError {
    kind: TlsErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of mistake a [`TlsError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsErrorKind {
    /// A file cannot be read.
    File,
    /// There is no certificate, or one that cannot be read.
    Certificate,
    /// There is no private key, or not the one of the certificate.
    PrivateKey,
    /// There is nobody to trust.
    Roots,
    /// The name of a server is neither one of DNS nor an address.
    ServerName,
    /// A name of a protocol is empty or longer than 255 bytes.
    Alpn,
    /// The connection has no TLS, or none any more.
    NotSecured,
    /// What was asked of TLS it cannot do.
    Refused,
}

impl TlsError {
    pub(crate) fn new(kind: TlsErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the words of what is behind it.
    pub(super) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        self.message = format!("{}: {source}", self.message);
        self.source = Some(source);
        self
    }

    /// The provider lacks what every program needs.
    pub(super) fn provider(error: rustls::Error) -> Self {
        Self::new(
            TlsErrorKind::Refused,
            "the cryptography provider supports no version of TLS",
        )
        .because(error)
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> TlsErrorKind {
        self.kind
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

debug_as_display!(TlsError);

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // Its own words are in the message.
        self.source.as_deref()?.source()
    }
}

/// What is wrong with a configuration, to be told all at once.
#[derive(Default)]
pub(super) struct Problems(Vec<TlsError>);

impl Problems {
    /// What there is if nothing is wrong with it.
    pub(super) fn keep<T>(&mut self, part: Result<T, TlsError>) -> Option<T> {
        part.map_err(|error| self.0.push(error)).ok()
    }

    pub(super) fn into_error(mut self) -> TlsError {
        if self.0.len() == 1 {
            return self.0.remove(0);
        }
        let kind = self.0.first().map_or(TlsErrorKind::Refused, TlsError::kind);
        let lines = self.0.iter().map(|error| format!("\n  {error}"));
        let message = format!(
            "the configuration of TLS has {} problems:{}",
            self.0.len(),
            lines.collect::<String>()
        );
        TlsError::new(kind, message)
    }
}
