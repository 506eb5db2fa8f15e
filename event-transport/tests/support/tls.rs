//! Certificates for the tests, made for each run.
#![allow(dead_code, reason = "each test program needs a part of it")]

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use std::sync::Arc;

use tidings::transport::tls::rustls::crypto::ring::default_provider;
use tidings::transport::tls::rustls::pki_types::pem::PemObject;
use tidings::transport::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tidings::transport::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tidings::transport::tls::{Pem, TlsClient, TlsServer};

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its private key, as PEM texts.
pub(crate) struct Card {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Card {
    pub(crate) fn chain(&self) -> Pem {
        Pem::text(self.certificate.as_str())
    }

    pub(crate) fn private_key(&self) -> Pem {
        Pem::text(self.key.as_str())
    }

    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        (vec![certificate], key)
    }

    /// A server with a card that the builder refuses, such as one that has expired.
    pub(crate) fn unchecked_server(&self) -> TlsServer {
        let (chain, key) = self.parts();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key);
        TlsServer::from(Arc::new(config.unwrap()))
    }

    /// A client of `localhost` with a card that the builder refuses.
    pub(crate) fn unchecked_client(&self, trusted: &Authority) -> TlsClient {
        let (chain, key) = self.parts();
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(trusted.pem().as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = config.with_client_auth_cert(chain, key).unwrap();
        let client = TlsClient::from(Arc::new(config));
        client.server_name("localhost").unwrap()
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn roots(&self) -> Pem {
        Pem::text(self.pem())
    }

    /// A certificate for a name, changed as the test wants it.
    pub(crate) fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Card {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Card {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    pub(crate) fn card(&self, name: &str) -> Card {
        self.sign(name, |_| ())
    }

    /// A client that trusts this authority and connects to `localhost`.
    pub(crate) fn client(&self) -> TlsClient {
        let client = TlsClient::builder().roots(self.roots()).build().unwrap();
        client.server_name("localhost").unwrap()
    }

    /// A server that is `localhost`.
    pub(crate) fn server(&self) -> TlsServer {
        let card = self.card("localhost");
        let server = TlsServer::builder(card.chain(), card.private_key());
        server.build().unwrap()
    }
}

/// Both sides of one authority.
pub(crate) fn both() -> (TlsClient, TlsServer) {
    let authority = Authority::new("tests");
    (authority.client(), authority.server())
}
