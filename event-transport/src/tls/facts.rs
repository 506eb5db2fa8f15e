//! What a handshake has found.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::ProtocolVersion;
use tokio_rustls::rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::{TlsStream, rustls};

use crate::stream::InfoKey;

#[derive(Debug)]
pub(crate) struct TlsFacts {
    pub(crate) version: String,
    pub(crate) cipher_suite: String,
    pub(crate) alpn: Option<String>,
    pub(crate) peer_certificates: Vec<CertificateDer<'static>>,
    pub(crate) server_name: Option<String>,
}

impl TlsFacts {
    /// `asked` is the name that a client has checked.
    pub(crate) fn of<T>(stream: &TlsStream<T>, asked: Option<String>) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let (_, session) = stream.get_ref();
        let shown = match stream {
            TlsStream::Client(_) => None,
            TlsStream::Server(stream) => stream.get_ref().1.server_name().map(str::to_owned),
        };
        let certificates = session.peer_certificates().unwrap_or_default();
        Self {
            version: session.protocol_version().map_or_else(String::new, version),
            cipher_suite: (session.negotiated_cipher_suite())
                .map_or_else(String::new, |suite| cipher(suite.suite())),
            alpn: (session.alpn_protocol()).map(|name| String::from_utf8_lossy(name).into_owned()),
            peer_certificates: certificates.to_vec(),
            server_name: asked.or(shown),
        }
    }

    /// The fact with a name of asyncio's.
    pub(crate) fn by_name(&self, name: &str) -> Option<String> {
        match name {
            "ssl_object" => Some(self.version.clone()),
            "cipher" => Some(self.cipher_suite.clone()),
            "peercert" => self.peer_certificates.first().map(fingerprint),
            _ => None,
        }
    }
}

/// As others write it.
fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The name at IANA's, which rustls changes for the suites of version 1.3.
fn cipher(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

/// The SHA-256 of a certificate, as tools print it.
fn fingerprint(certificate: &CertificateDer<'static>) -> String {
    let suite = TLS13_AES_128_GCM_SHA256.tls13();
    let suite = suite.expect("the suite is one of version 1.3");
    let hash = suite.common.hash_provider.hash(certificate);
    let mut text = "sha256".to_owned();
    for byte in hash.as_ref() {
        // A string takes everything.
        let _ = write!(text, ":{byte:02X}");
    }
    text
}

/// The facts of a connection's TLS, which may begin while others look.
#[derive(Debug, Default)]
pub(crate) struct TlsSlot(Mutex<Option<Arc<TlsFacts>>>);

impl TlsSlot {
    pub(crate) fn get(&self) -> Option<Arc<TlsFacts>> {
        let facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        facts.clone()
    }

    pub(crate) fn set(&self, facts: TlsFacts) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Arc::new(facts));
    }
}

impl Clone for TlsSlot {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.get()))
    }
}

/// The version of TLS: `TLSv1.3` or `TLSv1.2`. None of the facts about TLS is there on a connection without it.
pub const TLS_VERSION: InfoKey<String> =
    InfoKey::of_tls("TLS_VERSION", |facts| Some(facts.version.clone()));

/// The ciphers in use, as IANA names them, such as `TLS_AES_256_GCM_SHA384`.
pub const CIPHER_SUITE: InfoKey<String> =
    InfoKey::of_tls("CIPHER_SUITE", |facts| Some(facts.cipher_suite.clone()));

/// The protocol that both sides have agreed on with ALPN, if they have.
pub const ALPN: InfoKey<String> = InfoKey::of_tls("ALPN", |facts| facts.alpn.clone());

/// The certificates that the peer has shown and that were checked, its own first, as DER. A client without one has none.
pub const PEER_CERTIFICATES: InfoKey<Vec<CertificateDer<'static>>> =
    InfoKey::of_tls("PEER_CERTIFICATES", |facts| {
        Some(facts.peer_certificates.clone()).filter(|all| !all.is_empty())
    });

/// The name of the server: on a client the one that its certificate was checked against, on a server the one that the client has asked for, if it has.
pub const SERVER_NAME: InfoKey<String> =
    InfoKey::of_tls("SERVER_NAME", |facts| facts.server_name.clone());
