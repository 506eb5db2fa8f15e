//! Peers that no TLS connection is made with: each is a named event or error, and nobody else notices.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls_support;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use rcgen::date_time_ymd;
use support::{Echo, Log, Silent, Witness, failures, run, until};
use tidings::transport::tls::{HandshakeFailed, TlsClient, TlsServer, tls};
use tidings::transport::{
    ConnectionLost, DataReceived, Memory, Stream, Transport, TransportError, TransportErrorKind,
    WriteError, connect, connect_with, memory, pair, serve, serve_with, stream,
};
use tidings::{Bus, EventLoop, protocol};
use tls_support::{Authority, Card, both};
use tokio::io::{AsyncWriteExt, duplex};

/// A client of one authority meets a server with a card of its own.
#[track_caller]
fn refused(trusted: &Authority, card: &Card, words: &str, own: &str) {
    let lp = EventLoop::virtual_time();
    let server = card.unchecked_server();
    let told = failures(&lp);
    run(&lp, async {
        let place = memory();
        let server = serve::<Echo>(&lp, tls(&server, place.clone())).await?;
        let error = connect::<Silent>(&lp, tls(&trusted.client(), place)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(error.to_string().contains(words), "{error}");
        until(&lp, &server, 0).await;
        let told = told.take();
        assert_eq!(told.len(), 1, "{told:?}");
        let own = format!("does not accept the certificate of this side: {own}");
        assert!(told[0].contains(&own), "{told:?}");
        Ok(())
    });
}

#[test]
fn ay8_a_certificate_of_another_authority_is_refused() {
    let other = Authority::new("other").card("localhost");
    let words = "the server's certificate is signed by nobody in `roots`";
    let own = "it is signed by nobody whom the peer trusts";
    refused(&Authority::new("tests"), &other, words, own);
}

#[test]
fn ay8_a_certificate_of_another_authority_of_the_same_name_is_refused() {
    let other = Authority::new("tests").card("localhost");
    let words = "was the authority made anew under its old name?";
    let own = "an authority whom the peer trusts has the name of the signer";
    let trusted = Authority::new("tests");
    refused(&trusted, &other, words, own);
}

#[test]
fn ay8_a_certificate_of_another_name_is_refused() {
    let authority = Authority::new("tests");
    let card = authority.card("elsewhere.example");
    let words = "is not one for `localhost` but for `elsewhere.example`: connect to that name, or write `.server_name(\"elsewhere.example\")`";
    let own = "it has not the name that the peer asks for";
    refused(&authority, &card, words, own);
}

#[test]
fn ay8_an_expired_certificate_is_refused() {
    let authority = Authority::new("tests");
    let card = authority.sign("localhost", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let words = "the server's certificate has expired: it was valid until 2020-01-01";
    refused(&authority, &card, words, "it has expired");
    let built = TlsServer::builder(card.chain(), card.private_key()).build();
    assert_eq!(
        built.unwrap_err().to_string(),
        "`certificate`: the first one in the text has expired: it was valid until 2020-01-01"
    );
}

#[test]
fn ay8_a_certificate_that_is_not_valid_yet_is_refused() {
    let authority = Authority::new("tests");
    let card = authority.sign("localhost", |params| {
        params.not_before = date_time_ymd(4000, 1, 1);
    });
    let words = "the server's certificate is not valid yet, but from 4000-01-01 on";
    refused(
        &authority,
        &card,
        words,
        "it has expired, or is not valid yet",
    );
}

/// A server that asks for certificates of `clients` meets this client: its connection is lost for a reason with these words.
#[track_caller]
fn locked_out(authority: &Authority, client: &TlsClient, words: &str) {
    let lp = EventLoop::virtual_time();
    let card = authority.card("localhost");
    let server = TlsServer::builder(card.chain(), card.private_key());
    let server = server.client_roots(authority.roots()).build().unwrap();
    let told = failures(&lp);
    let (ours, theirs) = (Log::default(), Log::default());
    run(&lp, async {
        let (place, own) = (memory(), theirs.clone());
        let factory = move || Witness::of(&own);
        let server = serve_with(&lp, tls(&server, place.clone()), factory).await?;
        let own = ours.clone();
        let to = tls(client, place);
        let (t, _) = connect_with(&lp, to, move || Witness::of(&own)).await?;
        t.wait_closed().await;
        let ours = ours.take();
        assert_eq!(ours.len(), 2, "{ours:?}");
        assert!(ours[1].contains(words), "{ours:?}");
        until(&lp, &server, 0).await;
        assert_eq!(theirs.len(), 0, "the server has made no connection");
        assert_eq!(told.len(), 1);
        Ok(())
    });
}

#[test]
fn a_client_without_a_certificate_is_locked_out() {
    let authority = Authority::new("tests");
    let words = "the server lets in only clients with a certificate: write `.certificate(";
    locked_out(&authority, &authority.client(), words);
}

#[test]
fn a_client_with_a_certificate_of_another_authority_is_locked_out() {
    let authority = Authority::new("tests");
    let card = Authority::new("other").card("mallory");
    let client = TlsClient::builder()
        .roots(authority.roots())
        .certificate(card.chain(), card.private_key())
        .build()
        .unwrap();
    let client = client.server_name("localhost").unwrap();
    let words = "it is signed by nobody whom the peer trusts";
    locked_out(&authority, &client, words);
}

#[test]
fn an_expired_certificate_of_a_client_is_refused() {
    let authority = Authority::new("tests");
    let card = authority.sign("alice", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    locked_out(
        &authority,
        &card.unchecked_client(&authority),
        "it has expired",
    );
}

#[test]
fn a_client_certificate_may_be_optional() {
    let lp = EventLoop::virtual_time();
    let authority = Authority::new("tests");
    let card = authority.card("localhost");
    let server = TlsServer::builder(card.chain(), card.private_key())
        .client_roots(authority.roots())
        .optional_client_certificate()
        .build()
        .unwrap();
    run(&lp, async {
        let place = memory();
        let _server = serve::<Echo>(&lp, tls(&server, place.clone())).await?;
        let log = Log::default();
        let own = log.clone();
        let to = tls(&authority.client(), place);
        let (t, _) = connect_with(&lp, to, move || Witness::of(&own)).await?;
        t.write("hello")?;
        log.wait(&lp, "data hello").await;
        Ok(())
    });
}

/// A connection that goes on whatever happens to others.
async fn bystander(
    lp: &EventLoop,
    client: &TlsClient,
    place: &Memory,
) -> Result<(Transport, Log), Box<dyn std::error::Error>> {
    let log = Log::default();
    let own = log.clone();
    let to = tls(client, place.clone());
    let (t, _) = connect_with(lp, to, move || Witness::of(&own)).await?;
    log.take();
    Ok((t, log))
}

#[test]
fn plain_text_to_a_server_with_tls_is_told_and_harms_nobody() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let told = failures(&lp);
    run(&lp, async {
        let place = memory();
        let server = serve::<Echo>(&lp, tls(&server, place.clone())).await?;
        let (t, log) = bystander(&lp, &client, &place).await?;
        let (plain, _) = connect::<Silent>(&lp, place).await?;
        plain.write("GET / HTTP/1.1\r\nHost: example\r\n\r\n")?;
        plain.wait_closed().await;
        until(&lp, &server, 1).await;
        let told = told.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("no TLS: what the peer sent is not TLS"),
            "{told:?}"
        );
        t.write("hello")?;
        log.wait(&lp, "data hello").await;
        Ok(())
    });
}

#[test]
fn a_server_without_tls_is_an_error_of_the_client() {
    let lp = EventLoop::virtual_time();
    let (client, _) = both();
    run(&lp, async {
        let place = memory();
        let _server = serve::<Echo>(&lp, place.clone()).await?;
        let error = connect::<Silent>(&lp, tls(&client, place)).await;
        // What it sends back is no answer to a handshake.
        let error = error.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        let words = "what the peer sent is not what a TLS server sends";
        assert!(error.to_string().ends_with(words), "{error}");
        let (ours, mut theirs) = duplex(1000);
        theirs.write_all(b"220 mail.example ready\r\n").await?;
        let error = connect::<Silent>(&lp, tls(&client, stream(ours))).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "no TLS: what the peer sent is not TLS"
        );
        Ok(())
    });
}

#[test]
fn a_labelled_server_tells_the_bus_of_a_failed_handshake() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let told = failures(&lp);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let bus = Bus::empty();
    let own = Arc::clone(&heard);
    let _hears = bus.on(move |e: &HandshakeFailed| {
        let said = format!("{}: {}", e.connection.label(), e.error);
        own.lock().unwrap().push(said);
    });
    run(&lp, async {
        let place = memory();
        let at = tls(&server, place.clone());
        let server = serve::<Echo>(&lp, at).label("door").on(&bus).await?;
        let stranger = Authority::new("other").client();
        let refused = connect::<Silent>(&lp, tls(&stranger, place.clone())).await;
        assert!(refused.is_err());
        connect::<Silent>(&lp, tls(&client, place)).await?;
        until(&lp, &server, 1).await;
        Ok(())
    });
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(
        heard[0].starts_with("door: the peer does not accept the certificate of this side"),
        "{heard:?}"
    );
    assert_eq!(told.len(), 0);
}

#[test]
fn a_failed_handshake_that_no_listener_hears_is_told_to_the_hook_with_a_label_too() {
    let lp = EventLoop::virtual_time();
    let (_, server) = both();
    let told = failures(&lp);
    run(&lp, async {
        let place = memory();
        let at = tls(&server, place.clone());
        let server = serve::<Echo>(&lp, at).label("door").await?;
        let stranger = Authority::new("other").client();
        let refused = connect::<Silent>(&lp, tls(&stranger, place)).await;
        assert!(refused.is_err());
        until(&lp, &server, 0).await;
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`door`"), "{told:?}");
    assert!(told[0].contains("no TLS: "), "{told:?}");
}

#[test]
fn a_refused_client_that_does_not_listen_for_its_end_tells_the_hook_why() {
    let lp = EventLoop::virtual_time();
    let authority = Authority::new("tests");
    let card = authority.card("localhost");
    let server = TlsServer::builder(card.chain(), card.private_key());
    let server = server.client_roots(authority.roots()).build().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let place = memory();
        let server = serve::<Echo>(&lp, tls(&server, place.clone())).await?;
        let (t, _) = connect::<Silent>(&lp, tls(&authority.client(), place)).await?;
        t.wait_closed().await;
        until(&lp, &server, 0).await;
        Ok(())
    });
    let told = told.take();
    let own: Vec<_> = (told.iter())
        .filter(|said| said.starts_with("a connection"))
        .collect();
    assert_eq!(own.len(), 1, "{told:?}");
    assert!(own[0].contains("write `.certificate("), "{told:?}");
}

/// One half of a wire between two connections, which is cut after so many bytes.
struct Half {
    other: Rc<RefCell<Option<Transport>>>,
    left: usize,
}

#[protocol]
impl Half {
    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        let count = e.data.len().min(self.left);
        self.left -= count;
        let other = self.other.borrow();
        let other = other.as_ref().expect("the wire is there");
        if !other.is_closing() {
            other.write(e.data.slice(..count))?;
        }
        if self.left == 0 {
            other.close();
            t.close();
        }
        Ok(())
    }

    #[listener]
    fn lost(&mut self, _: &ConnectionLost) {
        if let Some(other) = self.other.take() {
            other.close();
        }
    }
}

/// A wire to a server that passes so many bytes on in one direction, and everything in the other; the end of its client.
async fn wire(
    lp: &EventLoop,
    place: &Memory,
    most: usize,
    up: bool,
) -> Result<Stream, TransportError> {
    let (ours, near) = pair();
    let (left, right) = if up {
        (most, usize::MAX)
    } else {
        (usize::MAX, most)
    };
    let [to_near, to_far] = [(); 2].map(|()| Rc::new(RefCell::new(None)));
    let other = Rc::clone(&to_far);
    let (near, _) = connect_with(lp, near, move || Half { other, left }).await?;
    let other = Rc::clone(&to_near);
    let half = move || Half { other, left: right };
    let (far, _) = connect_with(lp, place.clone(), half).await?;
    to_near.replace(Some(near));
    to_far.replace(Some(far));
    Ok(ours)
}

#[test]
fn a_handshake_that_is_cut_off_at_any_byte_is_an_error_and_harms_nobody() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let told = failures(&lp);
    let log = Log::default();
    run(&lp, async {
        let (place, own) = (memory(), log.clone());
        let factory = move || Witness::of(&own);
        let server = serve_with(&lp, tls(&server, place.clone()), factory).await?;
        let (other, _) = bystander(&lp, &client, &place).await?;
        log.take();
        for up in [true, false] {
            let mut passed = 0;
            loop {
                passed += 1;
                let ours = wire(&lp, &place, passed, up).await?;
                let made = connect::<Silent>(&lp, tls(&client, ours)).await;
                if let Ok((t, _)) = &made {
                    t.close();
                    t.wait_closed().await;
                }
                until(&lp, &server, 1).await;
                let is_made = log.take().contains(&"made".to_owned());
                // Each handshake has failed with words, or has made a connection.
                assert_eq!(told.take().len(), usize::from(!is_made));
                if is_made && made.is_ok() {
                    break;
                }
                assert!(passed < 10_000, "some number of bytes is enough");
            }
            assert!(passed > 200, "a handshake is longer than {passed} bytes");
        }
        other.write("hello")?;
        log.wait(&lp, "data hello").await;
        Ok(())
    });
}
