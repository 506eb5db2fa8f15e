//! Who a side is.

use tokio_rustls::rustls::Error;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate::{date, expired};
use super::error::{Problems, TlsError, TlsErrorKind};
use super::pem::Pem;

/// A certificate and its private key.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Pem,
    pub(super) private_key: Pem,
}

type Read = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Identity {
    pub(super) fn read(&self, problems: &mut Problems) -> Option<Read> {
        let chain = problems.keep(self.chain());
        let key = problems.keep(self.private_key.private_key("private key"));
        chain.zip(key)
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let chain = self.chain.certificates("certificate")?;
        match chain.first().and_then(expired) {
            None => Ok(chain),
            Some(end) => {
                let message = format!(
                    "`certificate`: the first one in {} has expired: it was valid until {}",
                    self.chain.name(),
                    date(end)
                );
                Err(TlsError::new(TlsErrorKind::Certificate, message))
            }
        }
    }

    /// Why the two do not go together.
    pub(super) fn mismatch(&self, error: Error) -> TlsError {
        let (kind, message) = match &error {
            Error::InconsistentKeys(_) => {
                let message = format!(
                    "the private key in {} is not that of the first certificate in {}: the certificate of this side comes first, those of authorities after it",
                    self.private_key.name(),
                    self.chain.name()
                );
                return TlsError::new(TlsErrorKind::PrivateKey, message);
            }
            Error::InvalidCertificate(_) => (
                TlsErrorKind::Certificate,
                format!(
                    "the first certificate in {} cannot be read",
                    self.chain.name()
                ),
            ),
            _ => (
                TlsErrorKind::PrivateKey,
                format!(
                    "the private key in {} cannot be used",
                    self.private_key.name()
                ),
            ),
        };
        TlsError::new(kind, message).because(error)
    }
}
