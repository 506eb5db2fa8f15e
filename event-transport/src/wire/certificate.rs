//! Who a certificate says that a peer is.

use std::error::Error;
use std::fmt;

use tokio_rustls::rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::access::Identity;
use crate::words::debug_as_display;

impl Identity {
    /// The peer that a certificate is of, in the DER format: its one URI name, such as `spiffe://shop.example/till-7`, or else its one DNS name in lower
    /// case. The common name of the subject does not count: it has no form that everybody agrees on.
    ///
    /// That the certificate is signed by somebody who is trusted is for TLS to find out.
    ///
    /// ```
    /// use event_transport::wire::Identity;
    ///
    /// let made = rcgen::generate_simple_self_signed(["Till-7.shop.example".to_owned()])?;
    /// let identity = Identity::from_certificate(made.cert.der())?;
    ///
    /// assert_eq!(identity.name(), "till-7.shop.example");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CertificateError`] if it names nobody, or several.
    pub fn from_certificate(der: &[u8]) -> Result<Self, CertificateError> {
        let der = CertificateDer::from(der);
        let certificate = EndEntityCert::try_from(&der)
            .map_err(|error| CertificateError::Unreadable(error.to_string()))?;
        let mut names = certificate.valid_uri_names().peekable();
        if names.peek().is_some() {
            return only(names).map(Self::new);
        }
        let name = only(certificate.valid_dns_names())?;
        if name.contains('*') {
            return Err(CertificateError::Wildcard(name.to_owned()));
        }
        Ok(Self::new(name.to_ascii_lowercase()))
    }
}

fn only<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<&'a str, CertificateError> {
    let first = names.next().ok_or(CertificateError::NoName)?;
    match names.next() {
        None => Ok(first),
        Some(second) => Err(CertificateError::Several(
            first.to_owned(),
            second.to_owned(),
        )),
    }
}

/// Why a certificate does not say who a peer is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// It is no certificate.
    Unreadable(String),
    /// It has neither a URI name nor a DNS name.
    NoName,
    /// It has several names of one kind: these two are the first.
    Several(String, String),
    /// Its name stands for many.
    Wildcard(String),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "the certificate cannot be read: {why}"),
            Self::NoName => f.write_str(
                "the certificate says not whose it is: give it one URI name or one DNS name as its subject alternative name",
            ),
            Self::Several(first, second) => write!(
                f,
                "the certificate is of `{}` and of `{}`, and a peer is one of both: give it one URI name, or one DNS name",
                first.escape_debug(),
                second.escape_debug()
            ),
            Self::Wildcard(name) => write!(
                f,
                "the certificate is of `{}`, which stands for many, and a peer is one: give it one name",
                name.escape_debug()
            ),
        }
    }
}

impl Error for CertificateError {}

debug_as_display!(CertificateError);
