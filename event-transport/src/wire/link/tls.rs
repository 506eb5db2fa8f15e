//! Links over TLS: the handshakes, and what they say of a peer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CommonState, ConnectionCommon, ProtocolVersion};

use super::caught::caught;
use super::error::{LinkError, LinkSetupError};
use super::plan::Plan;
use super::server::Shared;
use super::who::{self, Secured, Who};
use crate::tls::{TlsClient, TlsServer};
use crate::wire::access::Identity;
use crate::wire::error::WireError;
use crate::wire::proto::frame::Proof;
use crate::wire::secret::{Exporter, LABEL, Secrets};

/// Where a client connects to.
#[derive(Clone)]
pub(super) struct Target {
    address: String,
    name: ServerName<'static>,
    tls: TlsClient,
}

impl Target {
    pub(super) fn new(address: String, tls: &TlsClient) -> Result<Self, LinkSetupError> {
        let wrong = |why: String| LinkSetupError::Address {
            address: address.clone(),
            why,
        };
        let (host, port) = match address.rsplit_once(':') {
            _ if address.contains('/') => {
                let why =
                    "it is a URL or a path: write a name and a port, such as `chat.example:4433`";
                return Err(wrong(why.to_owned()));
            }
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => ("", ""),
        };
        if port.is_empty() {
            let why = "it has no port: write `chat.example:4433`";
            return Err(wrong(why.to_owned()));
        }
        if !port.parse::<u16>().is_ok_and(|port| port > 0) {
            let why = format!("{port} is no port: they are 1 to {}", u16::MAX);
            return Err(wrong(why));
        }
        // An address of version 6 has brackets around it.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = tls.name_for(Some(host));
        let name = name.map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            name,
            tls: tls.clone(),
            address,
        })
    }

    /// A stream with TLS, and what proves there who this side is.
    pub(super) async fn dial(
        self,
        plan: Arc<Plan>,
    ) -> Result<(TlsStream<TcpStream>, Option<Proof>), LinkError> {
        let connected = TcpStream::connect(&self.address).await;
        let stream = connected.map_err(|error| LinkError::connect(&self.address, error))?;
        stream.set_nodelay(true)?;
        let stream = self.tls.shake(self.name, stream).await?;
        let (_, session) = stream.get_ref();
        let exporter = keys(session)?;
        let credentials = plan.credentials.as_ref();
        let proof = credentials.map(|who| who.proof(&exporter, &plan.name));
        Ok((TlsStream::Client(stream), proof))
    }
}

/// What only the two ends of this connection know. Links speak version 1.3 alone: there the keys are of the whole handshake.
fn keys<Data>(session: &ConnectionCommon<Data>) -> io::Result<Exporter> {
    let state: &CommonState = session;
    if state.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a link needs TLS 1.3, and one side has only 1.2: let both speak 1.3",
        ));
    }
    let exported = session.export_keying_material(Exporter::default(), LABEL, None);
    exported.map_err(io::Error::other)
}

impl Shared {
    /// Finds out who a peer is, and talks to it.
    pub(super) async fn secure(
        self: Arc<Self>,
        mut stream: TcpStream,
        from: SocketAddr,
        tls: TlsServer,
        secrets: Arc<Secrets>,
    ) {
        let time = self.plan.limits().handshake_time();
        let shaking = async {
            let shaken = tokio::time::timeout(time, tls.shake(&mut stream)).await;
            let stream = shaken.map_err(|_| WireError::HandshakeTimeout(time))??;
            let (_, session) = stream.get_ref();
            let exporter = keys(session)?;
            let first = session.peer_certificates().and_then(<[_]>::first);
            let certificate = first.map(|it| Identity::from_certificate(it));
            Ok((TlsStream::Server(stream), exporter, certificate))
        };
        match caught(shaking).await {
            Ok((stream, exporter, certificate)) => {
                let secured = Secured {
                    from,
                    certificate,
                    exporter,
                    secrets,
                };
                self.talk(stream, Who::Secured(secured)).await;
            }
            Err(error) => {
                let (peer, why) = who::from(from, &error);
                self.lost(peer, why);
                // A connection that is closed while bytes of the peer wait is reset, and the peer would not read the alert.
                let _ = tokio::time::timeout(time, drain(&mut stream)).await;
            }
        }
    }
}

async fn drain(stream: &mut TcpStream) -> io::Result<()> {
    use tokio::io::AsyncWriteExt;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
