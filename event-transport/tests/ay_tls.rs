//! Connections with TLS: how they are made, what they carry, and how they end.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls_support;

use std::time::Duration;

use support::{Echo, Log, Silent, Witness, failures, run, until};
use tidings::transport::tls::{TlsClient, TlsServer, tls};
use tidings::transport::{
    AfterEof, ConnectionMade, DataReceived, EofReceived, Memory, ProtocolRef, Server, Transport,
    TransportErrorKind, WriteError, WriteState, connect, connect_with, memory, pair, serve,
    serve_with,
};
use tidings::{EventLoop, protocol};
use tls_support::both;

const SECOND: Duration = Duration::from_secs(1);

/// A server in memory whose connections write down what they hear.
async fn witnesses(
    lp: &EventLoop,
    config: &TlsServer,
    log: &Log,
) -> Result<(Server, Memory), Box<dyn std::error::Error>> {
    let (place, own) = (memory(), log.clone());
    let factory = move || Witness::of(&own);
    let server = serve_with(lp, tls(config, place.clone()), factory).await?;
    Ok((server, place))
}

/// A client that writes down what it hears.
async fn witness(
    lp: &EventLoop,
    config: &TlsClient,
    place: &Memory,
    log: &Log,
) -> Result<(Transport, ProtocolRef<Witness>), tidings::transport::TransportError> {
    let own = log.clone();
    connect_with(lp, tls(config, place.clone()), move || Witness::of(&own)).await
}

#[test]
fn ay1_a_connection_is_made_after_the_handshake() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let (ours, theirs) = (Log::default(), Log::default());
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &theirs).await?;
        // It says nothing, so its connection is not made.
        let (plain, _) = connect::<Silent>(&lp, place.clone()).await?;
        until(&lp, &server, 1).await;
        assert_eq!(server.transports().len(), 0);
        let (t, _) = witness(&lp, &client, &place, &ours).await?;
        assert_eq!(ours.take(), ["made"]);
        theirs.wait(&lp, "made").await;
        assert_eq!(theirs.take(), ["made"]);
        assert_eq!((server.connections(), server.transports().len()), (2, 1));
        t.write("hello")?;
        theirs.wait(&lp, "data hello").await;
        plain.abort();
        until(&lp, &server, 1).await;
        assert_eq!(theirs.take(), ["data hello"]);
        Ok(())
    });
}

#[test]
fn ay1_a_peer_that_ends_in_the_handshake_fails_the_connect() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (ours, theirs) = pair();
        let (peer, _) = connect::<Silent>(&lp, theirs).await?;
        peer.close();
        let own = log.clone();
        let factory = move || Witness::of(&own);
        let client = both().0;
        let error = connect_with(&lp, tls(&client, ours), factory).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert_eq!(
            error.to_string(),
            "no TLS: the peer ended the connection in the TLS handshake"
        );
        assert_eq!(log.len(), 0);
        Ok(())
    });
}

#[test]
fn ay2_a_silent_peer_is_given_up_after_a_time_and_keeps_nobody_waiting() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let (log, told) = (Log::default(), failures(&lp));
    run(&lp, async {
        let server = server.handshake_within(5 * SECOND);
        let (server, place) = witnesses(&lp, &server, &log).await?;
        let (silent, _) = connect::<Silent>(&lp, place.clone()).await?;
        let (t, _) = witness(&lp, &client, &place, &Log::default()).await?;
        assert!(lp.elapsed() < SECOND);
        t.close();
        silent.wait_closed().await;
        assert!(lp.elapsed() >= 5 * SECOND && lp.elapsed() < 6 * SECOND);
        until(&lp, &server, 0).await;
        let told = told.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("the TLS handshake took longer than 5s"),
            "{told:?}"
        );
        Ok(())
    });
}

#[test]
fn ay2_a_client_gives_a_silent_server_up() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (ours, theirs) = pair();
        let (_peer, _) = connect::<Silent>(&lp, theirs).await?;
        let client = both().0.handshake_within(2 * SECOND);
        let error = connect::<Silent>(&lp, tls(&client, ours)).await;
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "no TLS: the TLS handshake took longer than 2s");
        assert!(lp.elapsed() >= 2 * SECOND && lp.elapsed() < 3 * SECOND);
        Ok(())
    });
}

#[test]
fn ay2_no_timer_is_left_behind() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &Log::default()).await?;
        let (t, _) = witness(&lp, &client, &place, &Log::default()).await?;
        t.close();
        t.wait_closed().await;
        until(&lp, &server, 0).await;
        server.close();
        Ok(())
    });
    let before = lp.elapsed();
    lp.run_until_idle().unwrap();
    assert_eq!(lp.elapsed(), before);
}

#[test]
#[should_panic(expected = "`handshake_within` of zero leaves the peer no time")]
fn ay2_a_handshake_has_some_time() {
    let _ = both().0.handshake_within(Duration::ZERO);
}

#[test]
#[should_panic(expected = "`shutdown_within` of zero leaves the peer no time")]
fn ay2_an_end_has_some_time() {
    let _ = both().1.shutdown_within(Duration::ZERO);
}

/// Sends much and closes.
#[derive(Default)]
struct Flood;

const MUCH: usize = 4 * 1024 * 1024;

#[protocol]
impl Flood {
    #[listener]
    fn made(_: &ConnectionMade, t: &Transport) -> Result<(), WriteError> {
        assert_eq!(t.write(vec![7; MUCH])?, WriteState::OverHigh);
        t.close();
        Ok(())
    }
}

#[test]
fn ay3_ay6_what_was_written_before_the_end_arrives_and_both_end_well() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let log = Log::default();
    run(&lp, async {
        let place = memory();
        let server = serve::<Flood>(&lp, tls(&server, place.clone())).await?;
        let (t, heard) = witness(&lp, &client, &place, &log).await?;
        t.wait_closed().await;
        assert_eq!(heard.with(|heard| heard.received.len())?, MUCH);
        let told = log.take();
        assert_eq!(told[told.len() - 2..], ["eof", "lost"]);
        until(&lp, &server, 0).await;
        Ok(())
    });
}

#[test]
fn ay3_a_peer_that_does_not_end_is_given_up_after_a_time() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let (ours, theirs) = (Log::default(), Log::default());
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &theirs).await?;
        let client = client.shutdown_within(3 * SECOND);
        let (t, _) = witness(&lp, &client, &place, &ours).await?;
        theirs.wait(&lp, "made").await;
        let before = lp.elapsed();
        // It hears no end, as it does not read.
        let peer = server.transports().pop().expect("it is made");
        peer.pause_reading();
        t.close();
        t.wait_closed().await;
        let took = lp.elapsed().saturating_sub(before);
        assert!(took >= 3 * SECOND && took < 4 * SECOND, "{took:?}");
        assert_eq!(
            ours.take(),
            ["made", "lost: the peer did not end TLS within 3s"]
        );
        Ok(())
    });
}

#[test]
fn ay3_a_close_or_an_abort_in_the_handshake_ends_it_at_once() {
    let lp = EventLoop::virtual_time();
    let (_, server) = both();
    let log = Log::default();
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &log).await?;
        for end in [Server::close_clients, Server::abort_clients] {
            let (silent, _) = connect::<Silent>(&lp, place.clone()).await?;
            until(&lp, &server, 1).await;
            end(&server);
            silent.wait_closed().await;
            until(&lp, &server, 0).await;
        }
        assert!(lp.elapsed() < SECOND);
        assert_eq!(log.len(), 0);
        Ok(())
    });
}

#[test]
fn ay3_an_abort_ends_without_a_word() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let (ours, theirs) = (Log::default(), Log::default());
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &theirs).await?;
        let (t, _) = witness(&lp, &client, &place, &ours).await?;
        theirs.wait(&lp, "made").await;
        t.abort();
        until(&lp, &server, 0).await;
        assert_eq!(ours.take(), ["made", "lost"]);
        // It cannot know whether it has everything.
        assert_eq!(
            theirs.take(),
            [
                "made",
                "lost: the peer ended the connection without ending TLS: what came may be cut short"
            ]
        );
        Ok(())
    });
}

/// Wants to go on writing.
#[derive(Default)]
struct Stays;

#[protocol]
impl Stays {
    #[listener]
    fn eof(_: &EofReceived) -> AfterEof {
        AfterEof::KeepWriting
    }
}

#[test]
fn ay4_ax18_there_is_no_half_close() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let told = failures(&lp);
    run(&lp, async {
        let place = memory();
        let server = serve::<Stays>(&lp, tls(&server, place.clone())).await?;
        let (t, _) = witness(&lp, &client, &place, &Log::default()).await?;
        assert!(!t.can_write_eof());
        assert_eq!(t.write_eof(), Err(WriteError::NoHalfClose));
        assert!(!t.is_closing());
        t.close();
        assert_eq!(t.write_eof(), Ok(()));
        until(&lp, &server, 0).await;
        let told = told.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("`AfterEof::KeepWriting` is not kept"));
        let (plain, _) = connect::<Silent>(&lp, pair().0).await?;
        assert!(plain.can_write_eof());
        Ok(())
    });
}

#[test]
fn ay4_what_comes_after_a_close_is_ignored() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let (ours, theirs) = (Log::default(), Log::default());
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &theirs).await?;
        let (t, _) = witness(&lp, &client, &place, &ours).await?;
        theirs.wait(&lp, "made").await;
        let peer = server.transports().pop().expect("it is made");
        t.close();
        peer.write(vec![1; 100_000])?;
        t.wait_closed().await;
        assert_eq!(ours.take(), ["made", "lost"]);
        Ok(())
    });
}

#[test]
fn ay5_the_marks_are_those_of_every_connection() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let log = Log::default();
    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &Log::default()).await?;
        let (t, _) = witness(&lp, &client, &place, &log).await?;
        until(&lp, &server, 1).await;
        while server.transports().is_empty() {
            lp.next_turn().await;
        }
        server.transports()[0].pause_reading();
        while t.write(vec![0; 10_000])? != WriteState::OverHigh {}
        assert!(t.write_buffer_size() > t.write_limits().high_mark());
        assert_eq!(log.take(), ["made", "paused"]);
        server.transports()[0].resume_reading();
        t.writable().await?;
        assert_eq!(log.take(), ["resumed"]);
        Ok(())
    });
}

/// Takes a little at a time.
#[derive(Default)]
struct Sips(usize);

#[protocol]
impl Sips {
    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) {
        self.0 += e.data.len();
        t.pause_reading();
    }
}

#[test]
fn ax7_what_was_read_ahead_waits_while_reading_is_paused() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    run(&lp, async {
        let place = memory();
        let _server = serve::<Flood>(&lp, tls(&server, place.clone())).await?;
        let (t, sips) = connect::<Sips>(&lp, tls(&client, place)).await?;
        let mut heard = 0;
        while !t.is_closing() {
            support::pause(&lp).await;
            let now = sips.with(|sips| sips.0)?;
            support::pause(&lp).await;
            assert_eq!(sips.with(|sips| sips.0)?, now, "nothing comes in a pause");
            assert!(now >= heard);
            heard = now;
            t.resume_reading();
        }
        t.wait_closed().await;
        assert_eq!(sips.with(|sips| sips.0)?, MUCH);
        Ok(())
    });
}

#[test]
fn handshakes_count_for_the_limit_of_a_server() {
    let lp = EventLoop::virtual_time();
    let (client, config) = both();
    run(&lp, async {
        let place = memory();
        let config = config.handshake_within(5 * SECOND);
        let at = tls(&config, place.clone());
        let _server = serve::<Echo>(&lp, at).limit(1).await?;
        let (_silent, _) = connect::<Silent>(&lp, place.clone()).await?;
        let (t, _) = connect::<Silent>(&lp, tls(&client, place)).await?;
        // It was let in when the silent one had been given up.
        assert!(lp.elapsed() >= 5 * SECOND && lp.elapsed() < 6 * SECOND);
        t.close();
        Ok(())
    });
}

#[test]
fn ay2_unless_set_a_handshake_has_a_minute_and_an_end_half_a_one() {
    let lp = EventLoop::virtual_time();
    let (client, server) = both();
    let (ours, theirs) = (Log::default(), Log::default());
    // Without the helper of the tests, which gives up after a minute too.
    let before = lp.elapsed();
    let failed = lp.run_until_complete(async {
        let (near, far) = pair();
        let (_peer, _) = connect::<Silent>(&lp, far).await?;
        connect::<Silent>(&lp, tls(&client, near)).await.map(drop)
    });
    let error = failed.unwrap().unwrap_err().to_string();
    assert_eq!(error, "no TLS: the TLS handshake took longer than 60s");
    let took = lp.elapsed().saturating_sub(before);
    assert!(took >= 60 * SECOND && took < 61 * SECOND, "{took:?}");

    run(&lp, async {
        let (server, place) = witnesses(&lp, &server, &theirs).await?;
        let (t, _) = witness(&lp, &client, &place, &ours).await?;
        theirs.wait(&lp, "made").await;
        server
            .transports()
            .pop()
            .expect("it is made")
            .pause_reading();
        let before = lp.elapsed();
        t.close();
        t.wait_closed().await;
        let took = lp.elapsed().saturating_sub(before);
        assert!(took >= 30 * SECOND && took < 31 * SECOND, "{took:?}");
        Ok(())
    });
}

#[test]
#[should_panic(expected = "`handshake_within` of zero leaves the peer no time")]
fn ay2_a_handshake_of_a_server_has_some_time() {
    let _ = both().1.handshake_within(Duration::ZERO);
}

#[test]
#[should_panic(expected = "`shutdown_within` of zero leaves the peer no time")]
fn ay2_an_end_of_a_client_has_some_time() {
    let _ = both().0.shutdown_within(Duration::ZERO);
}
