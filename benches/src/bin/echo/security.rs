//! What both sides of a connection with TLS need. The servers have the same configuration of rustls.

use std::error::Error;
use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
};

const NAME: &str = "localhost";

/// A certificate for this run, in a folder that goes with it.
pub(crate) struct Certificate {
    folder: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Certificate {
    pub(crate) fn make() -> Result<Self, Box<dyn Error>> {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([NAME.to_owned()])?;
        let folder = std::env::temp_dir().join(format!("tidings-echo-tls-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("certificate"), cert.der())?;
        fs::write(folder.join("key"), KeyPair::serialize_der(&signing_key))?;
        Ok(Self {
            folder,
            certificate: cert.der().clone(),
        })
    }

    pub(crate) fn folder(&self) -> Result<&str, Box<dyn Error>> {
        Ok(self.folder.to_str().ok_or("the folder's path is no text")?)
    }

    pub(crate) fn client(&self) -> Result<Client, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Client(Arc::new(config)))
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // It is in the folder of temporary files anyway.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A client that trusts the certificate.
pub(crate) struct Client(Arc<ClientConfig>);

impl Client {
    pub(crate) fn secure(
        &self,
        stream: TcpStream,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        let session = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(session, stream))
    }
}

/// The configuration of a server whose certificate is in this folder.
pub(crate) fn server(folder: &Path) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let certificate = CertificateDer::from(fs::read(folder.join("certificate"))?);
    let key = PrivateKeyDer::try_from(fs::read(folder.join("key"))?)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    let config = config.with_no_client_auth();
    Ok(Arc::new(config.with_single_cert(vec![certificate], key)?))
}
