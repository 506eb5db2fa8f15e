//! Certificates and keys in the PEM format.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject, SectionKind};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{Problems, TlsError, TlsErrorKind};

/// Certificates or a private key, as a text in the PEM format or a file with one.
#[derive(Clone)]
pub struct Pem(Source);

#[derive(Clone)]
enum Source {
    Text(Vec<u8>),
    File(PathBuf),
}

impl Pem {
    /// The text itself, such as of `include_str!`.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self(Source::Text(text.into()))
    }

    /// A file, which is read when the configuration is built.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self(Source::File(path.as_ref().to_owned()))
    }

    fn read(&self, role: &'static str) -> Result<Sections, TlsError> {
        let (text, name) = match &self.0 {
            Source::Text(text) => (text.clone(), "the text".to_owned()),
            Source::File(path) => {
                let name = format!("`{}`", path.display());
                let text = std::fs::read(path).map_err(|error| {
                    let message = format!("`{role}`: {name} cannot be read");
                    TlsError::new(TlsErrorKind::File, message).because(error)
                })?;
                (text, name)
            }
        };
        let found = <(SectionKind, Vec<u8>)>::pem_slice_iter(&text).collect::<Result<_, _>>();
        let found = found.map_err(|error| {
            let message = format!("`{role}`: {name} is not in the PEM format: {}", cut(&error));
            TlsError::new(TlsErrorKind::Certificate, message)
        })?;
        Ok(Sections {
            role,
            name,
            text,
            found,
        })
    }

    /// The certificates, of which there is at least one.
    pub(super) fn certificates(
        &self,
        role: &'static str,
    ) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let sections = self.read(role)?;
        let certificates: Vec<_> = sections.all(SectionKind::Certificate).collect();
        if certificates.is_empty() {
            return Err(sections.lack(TlsErrorKind::Certificate, "certificate"));
        }
        Ok(certificates.into_iter().map(CertificateDer::from).collect())
    }

    /// Adds the certificates to those that are trusted.
    pub(super) fn add_to(
        &self,
        roots: &mut RootCertStore,
        role: &'static str,
    ) -> Result<(), TlsError> {
        for (place, certificate) in self.certificates(role)?.into_iter().enumerate() {
            roots.add(certificate).map_err(|error| {
                let message = format!(
                    "`{role}`: certificate {} of {} is not one of an authority",
                    place + 1,
                    self.name()
                );
                TlsError::new(TlsErrorKind::Certificate, message).because(error)
            })?;
        }
        Ok(())
    }

    /// The only private key.
    pub(super) fn private_key(
        &self,
        role: &'static str,
    ) -> Result<PrivateKeyDer<'static>, TlsError> {
        let sections = self.read(role)?;
        let mut keys = sections.keys();
        match (keys.next(), keys.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => {
                let message = format!(
                    "`{role}`: several private keys in {}: leave the one of the certificate",
                    sections.name
                );
                Err(TlsError::new(TlsErrorKind::PrivateKey, message))
            }
            (None, _) => Err(sections.lack(TlsErrorKind::PrivateKey, "private key")),
        }
    }

    pub(super) fn name(&self) -> String {
        match &self.0 {
            Source::Text(_) => "the text".to_owned(),
            Source::File(path) => format!("`{}`", path.display()),
        }
    }
}

/// All authorities; nothing with what is wrong with them.
pub(super) fn trusted(
    authorities: &[Pem],
    role: &'static str,
    problems: &mut Problems,
) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let mut is_whole = true;
    for authorities in authorities {
        is_whole &= problems
            .keep(authorities.add_to(&mut roots, role))
            .is_some();
    }
    is_whole.then_some(roots)
}

/// What is wrong with a text that has the beginning of the format.
fn cut(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let what = String::from_utf8_lossy(end_marker);
            format!("its end `-----END {what}-----` is missing; was it cut?")
        }
        pem::Error::IllegalSectionStart { line } => {
            let line = String::from_utf8_lossy(line);
            format!("the line `{}` begins nothing", line.trim_end())
        }
        _ => error.to_string(),
    }
}

/// The content may be a secret.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({})", self.name())
    }
}

/// What a text has.
struct Sections {
    role: &'static str,
    name: String,
    text: Vec<u8>,
    found: Vec<(SectionKind, Vec<u8>)>,
}

impl Sections {
    fn all(&self, wanted: SectionKind) -> impl Iterator<Item = Vec<u8>> {
        let found = self.found.iter().filter(move |(kind, _)| *kind == wanted);
        found.map(|(_, der)| der.clone())
    }

    fn keys(&self) -> impl Iterator<Item = PrivateKeyDer<'static>> {
        (self.found.iter()).filter_map(|(kind, der)| PrivateKeyDer::from_pem(*kind, der.clone()))
    }

    /// The error for something that is not there: what is there, and what to write instead.
    fn lack(&self, kind: TlsErrorKind, what: &str) -> TlsError {
        let Self { role, name, .. } = self;
        let text = String::from_utf8_lossy(&self.text);
        let rest = if self.found.is_empty() && text.contains("ENCRYPTED PRIVATE KEY") {
            "the private key in it is encrypted; decrypt it first, as with `openssl pkey -in key.pem -out plain.pem`".to_owned()
        } else if self.found.is_empty() {
            // A path in the place of a text is the usual slip.
            let is_path = name == "the text" && text.len() < 256 && text.lines().count() == 1;
            let hint = format!("; for a file write `Pem::file({:?})`", text.trim());
            let hint = if is_path { hint.as_str() } else { "" };
            format!("it has nothing in the PEM format{hint}")
        } else {
            let certificates = self.all(SectionKind::Certificate).count();
            let keys = self.keys().count();
            let is_swapped = if kind == TlsErrorKind::PrivateKey {
                certificates > 0
            } else {
                keys > 0
            };
            let others = self.found.len() - certificates - keys;
            let parts = [
                (certificates, "certificates"),
                (keys, "private keys"),
                (others, "other parts"),
            ];
            let parts = parts.iter().filter(|(count, _)| *count > 0);
            let parts: Vec<_> = parts
                .map(|(count, what)| format!("{what} ({count})"))
                .collect();
            let hint = if is_swapped {
                "; are the certificate and the private key swapped?"
            } else {
                ""
            };
            format!("what it has are {}{hint}", parts.join(" and "))
        };
        TlsError::new(kind, format!("`{role}`: no {what} in {name}: {rest}"))
    }
}
