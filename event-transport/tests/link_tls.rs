//! Who is let in over TLS, who is not, and what each side is told.
#![cfg(all(feature = "tls", feature = "wire"))]

#[path = "support/office.rs"]
mod office;
#[path = "support/tls.rs"]
mod tls;

use std::sync::Arc;

use office::{
    Office, SOON, bob, client_with, names, past, root_of, secret, sells, server_for, till,
};
use rcgen::SanType;
use tidings::transport::tls::TlsClient;
use tidings::transport::tls::rustls::crypto::ring::default_provider;
use tidings::transport::tls::rustls::pki_types::pem::PemObject;
use tidings::transport::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tidings::transport::tls::rustls::version::TLS12;
use tidings::transport::tls::rustls::{self, RootCertStore};
use tidings::transport::wire::{CertificateError, Identity, Link, LinkLost, LinkSetupError};
use tls::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

#[tokio::test]
async fn a_peer_is_who_its_certificate_says() {
    let authority = Authority::new("tests");
    let office = Office::secured(&server_for(&authority, false)).await;
    let client = client_with(&authority, &authority.card("Bob"));

    assert_eq!(office.lets_in(sells(), &client).await, "bob");
}

#[tokio::test]
async fn a_peer_without_a_certificate_is_whose_secret_it_has() {
    let authority = Authority::new("tests");
    let office = Office::secured(&server_for(&authority, true)).await;
    let link = sells().credentials(&bob(), secret(1));

    assert_eq!(office.lets_in(link, &authority.client()).await, "bob");
}

#[tokio::test]
async fn a_peer_with_a_certificate_and_a_secret_is_the_same_by_both() {
    let authority = Authority::new("tests");
    let server = server_for(&authority, false);
    let client = client_with(&authority, &authority.card("bob"));
    let office = Office::secured(&server).await;
    let link = sells().credentials(&Identity::new("carol"), secret(2));

    let (told, own) = office
        .refuses(|bus, address| link.connect_tls(bus, address, &client).unwrap())
        .await;

    assert!(
        own.contains("the certificate of `bob` and the secret of `carol`"),
        "{own}"
    );
    assert!(told.contains("it does not know this side"), "{told}");
    let link = sells().credentials(&bob(), secret(1));
    assert_eq!(office.lets_in(link, &client).await, "bob");
}

#[tokio::test]
async fn a_peer_is_not_told_whether_its_name_or_its_secret_is_wrong() {
    let authority = Authority::new("tests");
    let office = Office::secured(&authority.server()).await;
    let client = authority.client();
    let carol = Identity::new("carol");
    let mallory = Identity::new("mallory");
    let link = |who, secret| sells().credentials(who, secret);
    let mut told = Vec::new();
    let mut own = Vec::new();

    for link in [
        link(&mallory, secret(1)),
        link(&bob(), secret(9)),
        // Hers is another one.
        link(&carol, secret(1)),
        sells(),
    ] {
        let refused = office
            .refuses(|bus, address| link.connect_tls(bus, address, &client).unwrap())
            .await;
        told.push(refused.0);
        own.push(refused.1);
    }

    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    assert!(!told[0].contains("bob") && !told[0].contains("mallory"));
    assert!(own[0].contains("says it is `mallory`, for which there is no secret"));
    assert!(own[1].contains("says it is `bob` and does not have its secret"));
    assert!(own[2].contains("says it is `carol` and does not have its secret"));
    assert!(own[3].contains("does not say who it is"), "{own:?}");
    assert!(own.iter().all(|one| one.starts_with("127.0.0.1:")));
}

#[tokio::test]
async fn a_proof_is_of_no_use_on_another_connection() {
    let authority = Authority::new("tests");
    let office = Office::secured(&authority.server()).await;
    // Somebody whose certificate is good, to whom Bob connects, and who passes on what Bob says.
    let issued = authority.card("localhost");
    let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let till = till();
    let link = sells().credentials(&bob(), secret(1));
    let address = between.local_addr().unwrap();
    let _client = link
        .connect_tls(&till, address, &authority.client())
        .unwrap();
    let (stream, _) = between.accept().await.unwrap();
    let mut from_bob = TlsAcceptor::from(Arc::new(config))
        .accept(stream)
        .await
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root_of(&authority)).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(office.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut to_office = connector.connect(name, stream).await.unwrap();
    let own = office.bus.next::<LinkLost>();

    let mut hello = [0; 4096];
    let mut length = from_bob.read(&mut hello).await.unwrap();
    // The preface, and a frame behind its length.
    while length < 12 || length < 12 + frame_length(&hello) {
        length += from_bob.read(&mut hello[length..]).await.unwrap();
    }
    to_office.write_all(&hello[..length]).await.unwrap();

    let own = own.within(SOON).await.unwrap();
    assert!(
        own.why
            .contains("says it is `bob` and does not have its secret"),
        "{}",
        own.why
    );
    assert_eq!(office.server.sessions(), []);
}

fn frame_length(hello: &[u8]) -> usize {
    u32::from_be_bytes(hello[8..12].try_into().unwrap()) as usize
}

#[tokio::test]
async fn a_peer_without_a_certificate_is_refused_where_one_is_wanted() {
    let authority = Authority::new("tests");
    let office = Office::secured(&server_for(&authority, false)).await;
    let link = sells().credentials(&bob(), secret(1));

    let (told, own) = office
        .refuses(|bus, address| link.connect_tls(bus, address, &authority.client()).unwrap())
        .await;

    assert!(own.contains("the peer showed no certificate"), "{own}");
    assert!(told.contains("the peer wants a certificate"), "{told}");
}

#[tokio::test]
async fn a_certificate_of_somebody_else_or_of_the_past_is_refused() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let office = Office::secured(&server_for(&ours, true)).await;
    for (card, why) in [
        (theirs.card("bob"), "UnknownIssuer"),
        (ours.sign("bob", past), "certificate expired"),
    ] {
        let client = card.unchecked_client(&ours);

        let (told, own) = office
            .refuses(|bus, address| sells().connect_tls(bus, address, &client).unwrap())
            .await;

        assert!(own.contains(why), "{own}");
        assert!(told.contains("TLS failed: received fatal alert"), "{told}");
    }
}

#[tokio::test]
async fn a_certificate_that_names_nobody_or_several_is_refused() {
    let authority = Authority::new("tests");
    let office = Office::secured(&server_for(&authority, true)).await;
    for (several, why) in [
        (&[][..], "says not whose it is"),
        (&["bob", "carol"][..], "of `bob` and of `carol`"),
        (&["*.shop.example"][..], "stands for many"),
    ] {
        let card = authority.sign("x", |params| names(params, several));
        let client = client_with(&authority, &card);

        let (told, own) = office
            .refuses(|bus, address| sells().connect_tls(bus, address, &client).unwrap())
            .await;

        assert!(own.contains(why), "{own}");
        assert!(told.contains("it does not know this side"), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_who_it_should_be_is_left() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let office = Office::secured(&ours.server()).await;
    let wrong_name = ours.client().server_name("elsewhere").unwrap();
    for (client, why) in [
        (theirs.client(), "UnknownIssuer"),
        (wrong_name, "not valid for name \"elsewhere\""),
    ] {
        let link = sells().credentials(&bob(), secret(1));

        let (told, own) = office
            .refuses(|bus, address| link.connect_tls(bus, address, &client).unwrap())
            .await;

        assert!(told.contains(why), "{told}");
        assert!(own.contains("TLS failed: received fatal alert"), "{own}");
    }
}

#[tokio::test]
async fn a_server_whose_certificate_is_of_the_past_is_left() {
    let authority = Authority::new("tests");
    let card = authority.sign("localhost", past);
    let office = Office::secured(&card.unchecked_server()).await;

    let (told, _) = office
        .refuses(|bus, address| {
            sells()
                .connect_tls(bus, address, &authority.client())
                .unwrap()
        })
        .await;

    assert!(told.contains("certificate expired"), "{told}");
}

#[tokio::test]
async fn plain_text_to_a_port_with_tls_is_named_on_both_sides_and_others_are_unharmed() {
    let authority = Authority::new("tests");
    let office = Office::secured(&authority.server()).await;

    let (told, own) = office
        .refuses(|bus, address| sells().connect_tcp(bus, address).unwrap())
        .await;

    assert!(own.contains("the peer speaks no TLS"), "{own}");
    assert!(
        told.contains("this side speaks no TLS and the peer does"),
        "{told}"
    );
    let link = sells().credentials(&bob(), secret(1));
    assert_eq!(office.lets_in(link, &authority.client()).await, "bob");
}

#[tokio::test]
async fn tls_to_a_port_without_it_is_named_on_both_sides() {
    let authority = Authority::new("tests");
    let office = Office::plain().await;

    let (told, own) = office
        .refuses(|bus, address| {
            sells()
                .connect_tls(bus, address, &authority.client())
                .unwrap()
        })
        .await;

    assert!(
        own.contains("which is TLS: this side expects no TLS here"),
        "{own}"
    );
    assert!(told.contains("the peer speaks no TLS"), "{told}");
}

#[tokio::test]
async fn a_peer_with_an_old_version_of_tls_is_refused() {
    let authority = Authority::new("tests");
    let office = Office::secured(&authority.server()).await;
    let mut roots = RootCertStore::empty();
    roots.add(root_of(&authority)).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(default_provider().into())
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = TlsClient::from(Arc::new(config));
    let client = client.server_name("localhost").unwrap();
    let link = sells().credentials(&bob(), secret(1));

    let (told, own) = office
        .refuses(|bus, address| link.connect_tls(bus, address, &client).unwrap())
        .await;

    assert!(told.contains("a link needs TLS 1.3"), "{told}");
    assert!(own.contains("a link needs TLS 1.3"), "{own}");
}

#[tokio::test]
async fn who_is_known_may_do_what_it_is_allowed_and_nothing_else() {
    let authority = Authority::new("tests");
    let office = Office::secured(&authority.server()).await;
    let too_much = Link::new("till").publish("till.**").unwrap();
    let too_much = too_much.credentials(&bob(), secret(1));
    let nothing = sells().credentials(&Identity::new("carol"), secret(2));

    let client = authority.client();
    let (told, own) = office
        .refuses(|bus, address| too_much.connect_tls(bus, address, &client).unwrap())
        .await;
    for text in [&told, &own] {
        assert!(
            text.contains("`bob` may not publish `till.secret`"),
            "{text}"
        );
    }

    let (told, own) = office
        .refuses(|bus, address| nothing.connect_tls(bus, address, &client).unwrap())
        .await;
    for text in [&told, &own] {
        assert!(
            text.contains("`carol`, which may do nothing here"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_address_that_is_none_and_a_secret_without_tls_are_errors_at_once() {
    let bus = till();
    let client = Authority::new("tests").client();

    let no_port = sells().connect_tls(&bus, "localhost", &client);
    let url = sells().connect_tls(&bus, "https://localhost:443", &client);
    let too_high = sells().connect_tls(&bus, "localhost:99999", &client);
    let no_tls = sells()
        .credentials(&bob(), secret(1))
        .connect_tcp(&bus, ([127, 0, 0, 1], 1).into());

    let error = no_port.expect_err("no port").to_string();
    assert!(error.contains("write `chat.example:4433`"), "{error}");
    let error = url.expect_err("a URL").to_string();
    assert!(
        error.contains("it is a URL or a path: write a name and a port"),
        "{error}"
    );
    let error = too_high.expect_err("no such port").to_string();
    assert!(error.contains("99999 is no port"), "{error}");
    assert_eq!(no_tls.err(), Some(LinkSetupError::SecretWithoutTls));
}

#[test]
fn a_name_with_a_scheme_is_whose_the_certificate_is_before_those_of_dns() {
    let authority = Authority::new("tests");
    let uri = "spiffe://shop.example/till-7";
    let issued = authority.sign("x", |params| {
        names(params, &["one.example", "two.example"]);
        let san = SanType::URI(uri.try_into().unwrap());
        params.subject_alt_names.push(san);
    });
    let der = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();

    assert_eq!(Identity::from_certificate(&der).unwrap().name(), uri);
    let cut = Identity::from_certificate(&der[..der.len() / 2]);
    assert!(
        matches!(cut, Err(CertificateError::Unreadable(_))),
        "{cut:?}"
    );
}
