//! The side that answers a handshake.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;

use super::alpn::{self, Alpn};
use super::error::{Problems, TlsError, TlsErrorKind};
use super::identity::Identity;
use super::limits::{TlsLimits, some_time};
use super::pem::{Pem, trusted};

/// How a server does TLS: who it is, and whether its clients have to say who they are. A clone is cheap.
///
/// It is built from certificates, or made from a configuration of rustls' own, such as one with several certificates:
/// `TlsServer::from(Arc::new(config))`.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    limits: TlsLimits,
}

impl TlsServer {
    /// Begins a configuration with the server's certificate, followed by those between it and the authority, and its private key. The versions and the
    /// ciphers are those that rustls considers safe.
    ///
    /// ```
    /// use tidings::transport::tls::{Pem, TlsServer};
    ///
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    /// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    /// let server = TlsServer::builder(Pem::text(certificate), Pem::text(key)).build()?;
    /// # let other = rcgen::KeyPair::generate()?.serialize_pem();
    /// # let error = TlsServer::builder(Pem::text(made.cert.pem()), Pem::text(other)).build().unwrap_err();
    /// # assert_eq!(error.kind(), tidings::transport::tls::TlsErrorKind::PrivateKey);
    /// # drop(server);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(chain: Pem, private_key: Pem) -> TlsServerBuilder {
        TlsServerBuilder {
            identity: Identity { chain, private_key },
            client_roots: Vec::new(),
            is_optional: false,
            alpn: Alpn::default(),
        }
    }

    /// How long a handshake may take; 60 s if nothing is said. Then the connection fails. What is to be written before a handshake in the middle of a
    /// connection has as long.
    ///
    /// # Panics
    ///
    /// With a time of zero.
    #[must_use]
    #[track_caller]
    pub fn handshake_within(mut self, time: Duration) -> Self {
        self.limits.handshake = some_time(time, "handshake_within");
        self
    }

    /// How long a closed connection waits until everything is written and the peer has said that it ends TLS as well; 30 s if nothing is said. Then the
    /// connection is lost with an error.
    ///
    /// # Panics
    ///
    /// With a time of zero.
    #[must_use]
    #[track_caller]
    pub fn shutdown_within(mut self, time: Duration) -> Self {
        self.limits.shutdown = some_time(time, "shutdown_within");
        self
    }

    pub(crate) fn limits(&self) -> TlsLimits {
        self.limits
    }

    /// The handshake, without a limit of time.
    pub(crate) async fn shake<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: T,
    ) -> io::Result<tokio_rustls::server::TlsStream<T>> {
        TlsAcceptor::from(Arc::clone(&self.config)).accept(io).await
    }
}

impl From<Arc<ServerConfig>> for TlsServer {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self {
            config,
            limits: TlsLimits::default(),
        }
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A [`TlsServer`] in the making.
#[derive(Debug)]
#[must_use = "nothing is built before `build`"]
pub struct TlsServerBuilder {
    identity: Identity,
    client_roots: Vec<Pem>,
    is_optional: bool,
    alpn: Alpn,
}

impl TlsServerBuilder {
    /// Lets in only clients with a certificate that is signed by these authorities. A second time it adds to them. The certificate is told by
    /// [`PEER_CERTIFICATES`](super::PEER_CERTIFICATES).
    pub fn client_roots(mut self, authorities: Pem) -> Self {
        self.client_roots.push(authorities);
        self
    }

    /// Lets in clients without a certificate as well; one that is shown is checked all the same.
    pub fn optional_client_certificate(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// The protocols that may be spoken over the connection (ALPN), the best first. A client that offers others is refused. The choice is told by
    /// [`ALPN`](super::ALPN).
    pub fn alpn<T: Into<String>>(mut self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.alpn = alpn::of(protocols);
        self
    }

    /// The server.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: which parts are wrong, what was found there, and what to write instead. A certificate of its own that has expired is wrong too.
    pub fn build(self) -> Result<TlsServer, TlsError> {
        let provider: Arc<CryptoProvider> = default_provider().into();
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::provider)?;
        let mut problems = Problems::default();
        let verifier = self.verifier(provider, &mut problems);
        let identity = self.identity.read(&mut problems);
        let alpn = problems.keep(alpn::checked(self.alpn));
        let (Some(verifier), Some((chain, key)), Some(alpn)) = (verifier, identity, alpn) else {
            return Err(problems.into_error());
        };
        let config = match verifier {
            None => config.with_no_client_auth(),
            Some(verifier) => config.with_client_cert_verifier(verifier),
        };
        let config = config.with_single_cert(chain, key);
        let mut config = config.map_err(|error| self.identity.mismatch(error))?;
        config.alpn_protocols = alpn;
        Ok(TlsServer::from(Arc::new(config)))
    }

    /// What looks at the clients' certificates, if they have to have any; nothing with what is wrong with it.
    #[expect(
        clippy::option_option,
        reason = "the outer one is that of all parts that may be wrong"
    )]
    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
        problems: &mut Problems,
    ) -> Option<Option<Arc<dyn ClientCertVerifier>>> {
        if self.client_roots.is_empty() {
            if self.is_optional {
                return problems.keep(Err(TlsError::new(
                    TlsErrorKind::Roots,
                    "`optional_client_certificate` says nothing of who may sign one: write `.client_roots(Pem::file(\"clients.pem\"))`",
                )));
            }
            return Some(None);
        }
        let roots = trusted(&self.client_roots, "client_roots", problems)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = if self.is_optional {
            verifier.allow_unauthenticated().build()
        } else {
            verifier.build()
        };
        problems.keep(verifier.map(Some).map_err(|error| {
            let message = "`client_roots`: clients cannot be checked with these authorities";
            TlsError::new(TlsErrorKind::Roots, message).because(error)
        }))
    }
}
