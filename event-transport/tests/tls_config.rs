//! Configurations of TLS: their errors, and what connections say of them.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls_support;

use std::sync::Arc;

use support::{Echo, Log, Silent, Witness, run};
use tidings::EventLoop;
use tidings::transport::tls::{
    ALPN, CIPHER_SUITE, PEER_CERTIFICATES, Pem, SERVER_NAME, TLS_VERSION, TlsClient, TlsErrorKind,
    TlsServer, rustls, tls,
};
use tidings::transport::{
    Transport, TransportErrorKind, connect, connect_with, memory, pair, serve,
};
use tls_support::{Authority, both};

#[test]
fn ax1_the_facts_of_tls_are_told_on_both_sides() {
    let lp = EventLoop::virtual_time();
    let authority = Authority::new("tests");
    let (card, own) = (authority.card("localhost"), authority.card("alice"));
    let server = TlsServer::builder(card.chain(), card.private_key())
        .client_roots(authority.roots())
        .alpn(["h2", "echo"])
        .build()
        .unwrap();
    let client = TlsClient::builder()
        .roots(authority.roots())
        .certificate(own.chain(), own.private_key())
        .alpn(["echo", "other"])
        .build()
        .unwrap();
    let client = client.server_name("localhost").unwrap();
    run(&lp, async {
        let place = memory();
        let server = serve::<Silent>(&lp, tls(&server, place.clone())).await?;
        let (t, _) = connect::<Silent>(&lp, tls(&client, place)).await?;
        while server.transports().is_empty() {
            lp.next_turn().await;
        }
        let peer = server.transports().remove(0);
        for side in [&t, &peer] {
            assert_eq!(side.info(TLS_VERSION).as_deref(), Some("TLSv1.3"));
            assert_eq!(side.info(ALPN).as_deref(), Some("echo"));
            assert_eq!(side.connection().info(ALPN), side.info(ALPN));
            assert_eq!(side.info(SERVER_NAME).as_deref(), Some("localhost"));
            let cipher = side.info(CIPHER_SUITE).expect("it has ciphers");
            assert!(cipher.starts_with("TLS_"), "{cipher}");
            assert_eq!(side.info_str("cipher", ""), cipher);
            assert_eq!(side.info_str("ssl_object", ""), "TLSv1.3");
            assert_eq!(side.info(PEER_CERTIFICATES).map(|all| all.len()), Some(1));
            let print = side.info_str("peercert", "");
            assert_eq!(print.len(), "sha256".len() + 32 * 3, "{print}");
        }
        assert_ne!(t.info_str("peercert", ""), peer.info_str("peercert", ""));
        // Keys are the same on both sides, and others for every label and context.
        let key = |side: &Transport, label, context| {
            let key = side.export_keying_material(label, context, 32);
            key.expect("TLS exports keys")
        };
        let ours = key(&t, "EXPORTER-test", Some(&b"1"[..]));
        assert_eq!(ours, key(&peer, "EXPORTER-test", Some(b"1")));
        assert_ne!(ours, key(&peer, "EXPORTER-test", Some(b"2")));
        assert_ne!(ours, key(&peer, "EXPORTER-other", Some(b"1")));
        let none = t.export_keying_material("EXPORTER-test", None, 0);
        assert_eq!(none.unwrap_err().kind(), TlsErrorKind::Refused);
        t.close();
        t.wait_closed().await;
        assert_eq!(t.info(ALPN).as_deref(), Some("echo"), "AX2: it stays");
        let lost = t.export_keying_material("EXPORTER-test", None, 32);
        assert_eq!(lost.unwrap_err().kind(), TlsErrorKind::NotSecured);
        let (plain, _) = connect::<Silent>(&lp, pair().0).await?;
        assert_eq!(plain.info(TLS_VERSION), None);
        assert_eq!(plain.info_str("cipher", "none"), "none");
        Ok(())
    });
}

#[test]
fn errors_of_configurations_say_what_to_write() {
    let authority = Authority::new("tests");
    let (card, other) = (authority.card("localhost"), authority.card("localhost"));
    let dir = std::env::temp_dir().join(format!("tidings-tls-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("server.pem");
    std::fs::write(&file, &card.certificate).unwrap();
    let server = |chain: Pem, key: Pem| TlsServer::builder(chain, key).build().unwrap_err();
    let place = file.display();
    let told = [
        server(Pem::file(dir.join("none.pem")), card.private_key()),
        server(Pem::file(&file), Pem::file(&file)),
        server(card.private_key(), card.private_key()),
        server(Pem::text(&card.certificate[..100]), card.private_key()),
        TlsServer::builder(Pem::file(dir.join("none.pem")), Pem::text("none"))
            .client_roots(card.private_key())
            .alpn([""])
            .build()
            .unwrap_err(),
        server(card.chain(), other.private_key()),
        server(
            card.chain(),
            Pem::text(
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            ),
        ),
        TlsClient::builder().build().unwrap_err(),
        TlsClient::builder()
            .roots(authority.roots())
            .alpn([""])
            .build()
            .unwrap_err(),
        authority.client().server_name("not a name").unwrap_err(),
        TlsServer::builder(card.chain(), card.private_key())
            .optional_client_certificate()
            .build()
            .unwrap_err(),
    ];
    std::fs::remove_dir_all(&dir).unwrap();
    let told: Vec<_> = (told.iter())
        .map(|error| {
            (
                error.kind(),
                error.to_string().replace(dir.to_str().unwrap(), "DIR"),
            )
        })
        .collect();
    let expected = [
        (TlsErrorKind::File, "`certificate`: `DIR/none.pem` cannot be read: No such file or directory (os error 2)".to_owned()),
        (
            TlsErrorKind::PrivateKey,
            "`private key`: no private key in `DIR/server.pem`: what it has are certificates (1); are the certificate and the private key swapped?".to_owned(),
        ),
        (
            TlsErrorKind::Certificate,
            "`certificate`: no certificate in the text: what it has are private keys (1); are the certificate and the private key swapped?".to_owned(),
        ),
        (
            TlsErrorKind::Certificate,
            "`certificate`: the text is not in the PEM format: its end `-----END CERTIFICATE-----` is missing; was it cut?".to_owned(),
        ),
        (
            TlsErrorKind::Certificate,
            "the configuration of TLS has 4 problems:\n  \
             `client_roots`: no certificate in the text: what it has are private keys (1); are the certificate and the private key swapped?\n  \
             `certificate`: `DIR/none.pem` cannot be read: No such file or directory (os error 2)\n  \
             `private key`: no private key in the text: it has nothing in the PEM format; for a file write `Pem::file(\"none\")`\n  \
             `alpn`: a name of a protocol has 1 to 255 bytes, and \"\" has 0".to_owned(),
        ),
        (
            TlsErrorKind::PrivateKey,
            "the private key in the text is not that of the first certificate in the text: the certificate of this side comes first, those of authorities after it".to_owned(),
        ),
        (
            TlsErrorKind::PrivateKey,
            "`private key`: no private key in the text: the private key in it is encrypted; decrypt it first, as with `openssl pkey -in key.pem -out plain.pem`".to_owned(),
        ),
        (
            TlsErrorKind::Roots,
            "a client that trusts nobody can connect to nobody: write `.roots(Pem::file(\"ca.pem\"))` or `.system_roots()`".to_owned(),
        ),
        (
            TlsErrorKind::Alpn,
            "`alpn`: a name of a protocol has 1 to 255 bytes, and \"\" has 0".to_owned(),
        ),
        (
            TlsErrorKind::ServerName,
            "`not a name` is neither a DNS name nor an IP address".to_owned(),
        ),
        (
            TlsErrorKind::Roots,
            "`optional_client_certificate` says nothing of who may sign one: write `.client_roots(Pem::file(\"clients.pem\"))`".to_owned(),
        ),
    ];
    assert_eq!(told, expected, "{place}");
}

#[test]
fn a_client_without_a_name_for_its_server_is_told_to_write_one() {
    let lp = EventLoop::virtual_time();
    let authority = Authority::new("tests");
    run(&lp, async {
        let client = TlsClient::builder().roots(authority.roots()).build()?;
        let error = connect::<Silent>(&lp, tls(&client, pair().0)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(error.to_string().contains("client.server_name("), "{error}");
        Ok(())
    });
}

#[test]
fn only_a_configuration_of_ones_own_leaves_the_check_out() {
    let lp = EventLoop::virtual_time();
    let (_, server) = both();
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let client = TlsClient::from(Arc::new(config));
    run(&lp, async {
        let place = memory();
        let _server = serve::<Echo>(&lp, tls(&server, place.clone())).await?;
        let client = client.server_name("anything.example")?;
        let log = Log::default();
        let own = log.clone();
        let to = tls(&client, place);
        let (t, _) = connect_with(&lp, to, move || Witness::of(&own)).await?;
        t.write("hello")?;
        log.wait(&lp, "data hello").await;
        Ok(())
    });
}

/// Trusts everybody.
#[derive(Debug)]
struct Anybody;

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
