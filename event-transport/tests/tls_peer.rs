//! Python's `ssl` and asyncio talk TLS to ours. Without `python3` the tests say that they are skipped.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls_support;

use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use support::{Echo, Log, Outcome, Witness, pause, run, until};
use tidings::transport::tls::{
    ALPN, PEER_CERTIFICATES, TLS_VERSION, TlsClient, TlsServer, rustls, tls,
};
use tidings::transport::{
    ConnectionMade, DataReceived, Server, Transport, connect, connect_with, serve, serve_with, tcp,
};
use tidings::{EventLoop, protocol};
use tls_support::Authority;

/// The files that Python reads.
struct Files {
    dir: PathBuf,
    authority: Authority,
}

impl Files {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tidings-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let authority = Authority::new("tests");
        std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
        let card = authority.card("localhost");
        let own = card.certificate + &card.key;
        std::fs::write(dir.join("own.pem"), own).unwrap();
        Self { dir, authority }
    }

    /// Asks for the certificate of its clients.
    fn server(&self) -> TlsServer {
        let card = self.authority.card("localhost");
        TlsServer::builder(card.chain(), card.private_key())
            .client_roots(self.authority.roots())
            .alpn(["echo"])
            .build()
            .unwrap()
    }

    /// Starts a peer; `None` without Python.
    fn peer(&self, function: &str, server: Option<&Server>) -> Option<Child> {
        let port = server.map(|server| server.local_addrs()[0].port().to_string());
        let started = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls_peer.py"))
            .arg(function)
            .arg(&self.dir)
            .args(port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        match started {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("{function} is skipped: there is no `python3`");
                None
            }
            started => Some(started.expect("python3 starts")),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Whoever removed them meanwhile has done what is to be done.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Waits for the end of a peer, which must be a good one.
async fn end(lp: &EventLoop, mut peer: Child) -> Outcome {
    drop(peer.stdin.take());
    while peer.try_wait()?.is_none() {
        pause(lp).await;
    }
    let output = peer.wait_with_output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn a_client_of_pythons_with_a_certificate_gets_its_bytes_back_and_an_end() {
    let lp = EventLoop::new().unwrap();
    let files = Files::new("client");
    run(&lp, async {
        let at = tls(&files.server(), tcp("127.0.0.1:0"));
        let server = serve::<Echo>(&lp, at).await?;
        if let Some(peer) = files.peer("client", Some(&server)) {
            end(&lp, peer).await?;
            until(&lp, &server, 0).await;
        }
        Ok(())
    });
}

#[test]
fn ay7_a_client_of_asyncios_begins_tls_in_the_middle() {
    let lp = EventLoop::new().unwrap();
    let files = Files::new("start");
    run(&lp, async {
        let config = files.server();
        let factory = move || Starts(config.clone());
        let server = serve_with(&lp, tcp("127.0.0.1:0"), factory).await?;
        if let Some(peer) = files.peer("starting_client", Some(&server)) {
            end(&lp, peer).await?;
            until(&lp, &server, 0).await;
        }
        Ok(())
    });
}

/// Begins TLS when it is told to, and sends back what comes then.
struct Starts(TlsServer);

#[protocol]
impl Starts {
    #[listener]
    fn made(
        _: &ConnectionMade,
        t: &Transport,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        t.write("ready\n")?;
        Ok(())
    }

    #[listener]
    fn data(
        &mut self,
        e: &DataReceived,
        t: &Transport,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match e.data.strip_prefix(b"STARTTLS\n") {
            Some(rest) if t.info(TLS_VERSION).is_none() => {
                t.write("go ahead\n")?;
                t.start_tls(&self.0, e.data.slice_ref(rest))?;
            }
            _ => drop(t.write(e.data.clone())?),
        }
        Ok(())
    }
}

/// The port that a peer tells.
fn port_of(peer: &mut Child) -> Result<u16, Box<dyn std::error::Error>> {
    let mut lines = BufReader::new(peer.stdout.take().expect("it is a pipe")).lines();
    Ok(lines.next().expect("it tells its port")?.parse()?)
}

#[test]
fn a_server_of_pythons_answers_us_in_both_versions() {
    let lp = EventLoop::new().unwrap();
    let files = Files::new("server");
    run(&lp, async {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let Some(mut peer) = files.peer("server", None) else {
                return Ok(());
            };
            let port = port_of(&mut peer)?;
            let client = client_of(&files, version);
            let log = Log::default();
            let own = log.clone();
            let to = tls(&client, tcp(("localhost", port)));
            let (t, heard) = connect_with(&lp, to, move || Witness::of(&own)).await?;
            let is_new = version.version == rustls::ProtocolVersion::TLSv1_3;
            let name = if is_new { "TLSv1.3" } else { "TLSv1.2" };
            assert_eq!(t.info(TLS_VERSION).as_deref(), Some(name));
            assert_eq!(t.info(ALPN).as_deref(), Some("shout"));
            assert!(t.info(PEER_CERTIFICATES).is_some());
            t.write(vec![b'a'; 1_000_000])?;
            while heard.with(|heard| heard.received.len())? < 1_000_000 {
                pause(&lp).await;
            }
            assert!(heard.with(|heard| heard.received.iter().all(|byte| *byte == b'A'))?);
            t.close();
            t.wait_closed().await;
            assert_eq!(log.take().last().map(String::as_str), Some("lost"));
            end(&lp, peer).await?;
        }
        Ok(())
    });
}

/// A client of one version alone.
fn client_of(files: &Files, version: &'static rustls::SupportedProtocolVersion) -> TlsClient {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(files.authority.pem().as_bytes());
    roots.add(authority.unwrap()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let mut config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"shout".to_vec()];
    TlsClient::from(std::sync::Arc::new(config))
}

#[test]
fn a_server_of_pythons_that_ends_without_a_word_is_told() {
    let lp = EventLoop::new().unwrap();
    let files = Files::new("rude");
    let log = Log::default();
    run(&lp, async {
        let Some(mut peer) = files.peer("rude_server", None) else {
            return Ok(());
        };
        let port = port_of(&mut peer)?;
        let client = TlsClient::builder()
            .roots(files.authority.roots())
            .build()?;
        let own = log.clone();
        let to = tls(&client, tcp(("localhost", port)));
        let (t, _) = connect_with(&lp, to, move || Witness::of(&own)).await?;
        t.wait_closed().await;
        assert_eq!(
            log.take(),
            [
                "made",
                "data half of the",
                "lost: the peer ended the connection without ending TLS: what came may be cut short"
            ]
        );
        end(&lp, peer).await
    });
}

#[test]
fn a_wrong_name_is_refused_by_both_sides_words() {
    let lp = EventLoop::new().unwrap();
    let files = Files::new("name");
    run(&lp, async {
        let Some(mut peer) = files.peer("refusing_server", None) else {
            return Ok(());
        };
        let port = port_of(&mut peer)?;
        let client = TlsClient::builder()
            .roots(files.authority.roots())
            .build()?;
        // The certificate is for a name, not for this address.
        let to = tls(&client, tcp(("127.0.0.1", port)));
        let error = connect::<Echo>(&lp, to).await.unwrap_err().to_string();
        assert!(error.contains("127.0.0.1"), "{error}");
        end(&lp, peer).await
    });
}
