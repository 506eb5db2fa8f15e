//! The side that begins a handshake.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::alpn::{self, Alpn};
use super::error::{Problems, TlsError, TlsErrorKind};
use super::identity::Identity;
use super::limits::{TlsLimits, some_time};
use super::pem::{Pem, trusted};

/// How a client does TLS: whom it trusts, and who it is. A clone is cheap.
///
/// It is built from certificates, or made from a configuration of rustls' own, which is the only way to do what the builder does not offer:
/// `TlsClient::from(Arc::new(config))`.
///
/// The certificate of the server is always checked, and its name too. The name is that of the address, or the one of
/// [`server_name`](Self::server_name).
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    limits: TlsLimits,
}

impl TlsClient {
    /// Begins a configuration, with the versions and the ciphers that rustls considers safe.
    ///
    /// ```
    /// use tidings::transport::tls::{Pem, TlsClient};
    ///
    /// # let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()])?.cert.pem();
    /// let client = TlsClient::builder().roots(Pem::text(authority)).alpn(["h2"]).build()?;
    /// let other = client.server_name("db.example")?;
    /// assert!(format!("{other:?}").contains("db.example"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> TlsClientBuilder {
        TlsClientBuilder::default()
    }

    /// The same client for a server with this name, a DNS name or an IP address, whatever the address is that it connects to.
    ///
    /// # Errors
    ///
    /// [`ServerName`](TlsErrorKind::ServerName) if it is neither.
    pub fn server_name(&self, name: &str) -> Result<Self, TlsError> {
        Ok(Self {
            server_name: Some(named(name)?),
            ..self.clone()
        })
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

    /// The name that the server's certificate must have. `host` is what the address says of it.
    pub(crate) fn name_for(&self, host: Option<&str>) -> Result<ServerName<'static>, TlsError> {
        match (&self.server_name, host) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(host)) => named(host),
            (None, None) => Err(TlsError::new(
                TlsErrorKind::ServerName,
                "the address has no name to check the server's certificate against: write `client.server_name(\"db.example\")?`",
            )),
        }
    }

    /// The handshake, without a limit of time.
    pub(crate) async fn shake<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        io: T,
    ) -> io::Result<tokio_rustls::client::TlsStream<T>> {
        TlsConnector::from(Arc::clone(&self.config))
            .connect(name, io)
            .await
    }
}

fn named(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let message = format!("`{name}` is neither a DNS name nor an IP address");
        TlsError::new(TlsErrorKind::ServerName, message)
    })
}

impl From<Arc<ClientConfig>> for TlsClient {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            server_name: None,
            limits: TlsLimits::default(),
        }
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient")
            .field("server_name", &self.server_name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A [`TlsClient`] in the making.
#[derive(Debug, Default)]
#[must_use = "nothing is built before `build`"]
pub struct TlsClientBuilder {
    roots: Vec<Pem>,
    system_roots: bool,
    identity: Option<Identity>,
    alpn: Alpn,
}

impl TlsClientBuilder {
    /// Trusts servers whose certificates are signed by these authorities. A second time it adds to them.
    pub fn roots(mut self, authorities: Pem) -> Self {
        self.roots.push(authorities);
        self
    }

    /// Trusts the authorities that the operating system trusts, or those that the environment names with `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    pub fn system_roots(mut self) -> Self {
        self.system_roots = true;
        self
    }

    /// Who the client is, for servers that ask: its certificate, followed by those between it and the authority, and its private key.
    pub fn certificate(mut self, chain: Pem, private_key: Pem) -> Self {
        self.identity = Some(Identity { chain, private_key });
        self
    }

    /// The protocols to speak over the connection (ALPN), the best first. The choice is told by [`ALPN`](super::ALPN).
    pub fn alpn<T: Into<String>>(mut self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.alpn = alpn::of(protocols);
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: which parts are wrong, what was found there, and what to write instead. A certificate of its own that has expired is wrong too.
    pub fn build(self) -> Result<TlsClient, TlsError> {
        let mut problems = Problems::default();
        let roots = self.trusted(&mut problems);
        let identity = match &self.identity {
            None => Some(None),
            Some(identity) => identity
                .read(&mut problems)
                .map(|read| Some((identity, read))),
        };
        let alpn = problems.keep(alpn::checked(self.alpn));
        let (Some(roots), Some(identity), Some(alpn)) = (roots, identity, alpn) else {
            return Err(problems.into_error());
        };
        let config = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::provider)?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => config.with_no_client_auth(),
            Some((identity, (chain, key))) => {
                let config = config.with_client_auth_cert(chain, key);
                config.map_err(|error| identity.mismatch(error))?
            }
        };
        config.alpn_protocols = alpn;
        Ok(TlsClient::from(Arc::new(config)))
    }

    fn trusted(&self, problems: &mut Problems) -> Option<RootCertStore> {
        let mut roots = trusted(&self.roots, "roots", problems)?;
        if self.system_roots {
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 {
                let error = TlsError::new(
                    TlsErrorKind::Roots,
                    "`system_roots`: the operating system has no authority that is trusted; install its package of certificates, or write `.roots(Pem::file(\"ca.pem\"))`",
                );
                return problems.keep(Err(match found.errors.into_iter().next() {
                    Some(why) => error.because(why),
                    None => error,
                }));
            }
        }
        if roots.is_empty() {
            return problems.keep(Err(TlsError::new(
                TlsErrorKind::Roots,
                "a client that trusts nobody can connect to nobody: write `.roots(Pem::file(\"ca.pem\"))` or `.system_roots()`",
            )));
        }
        Some(roots)
    }
}
