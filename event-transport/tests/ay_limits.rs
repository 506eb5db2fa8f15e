//! Peers that read nothing, and a server's name.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls_support;

use std::time::Duration;

use support::{Log, Silent, Witness, run};
use tidings::EventLoop;
use tidings::transport::tls::{TLS_VERSION, TlsClient, tls};
use tidings::transport::{connect, connect_with, memory, pair, serve, tcp};
use tls_support::{Authority, both};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn ay3_a_peer_that_reads_nothing_does_not_keep_a_closed_connection() {
    let lp = EventLoop::virtual_time();
    let (client, config) = both();
    let log = Log::default();
    run(&lp, async {
        let place = memory();
        let server = serve::<Silent>(&lp, tls(&config, place.clone())).await?;
        let client = client.shutdown_within(3 * SECOND);
        let own = log.clone();
        let (t, _) = connect_with(&lp, tls(&client, place), move || Witness::of(&own)).await?;
        while server.transports().is_empty() {
            lp.next_turn().await;
        }
        for peer in server.transports() {
            peer.pause_reading();
        }
        t.write(vec![1; 4 << 20])?;
        let before = lp.elapsed();
        t.close();
        t.wait_closed().await;
        let took = lp.elapsed().saturating_sub(before);
        assert!(took >= 3 * SECOND && took < 4 * SECOND, "{took:?}");
        let last = log.take().pop();
        let text = "lost: the peer did not end TLS within 3s";
        assert_eq!(last.as_deref(), Some(text));
        Ok(())
    });
}

#[test]
fn ay2_a_handshake_waits_no_longer_for_what_is_written_before_it() {
    let lp = EventLoop::virtual_time();
    let (client, _) = both();
    let log = Log::default();
    run(&lp, async {
        let (near, far) = pair();
        let (peer, _) = connect::<Silent>(&lp, far).await?;
        peer.pause_reading();
        let own = log.clone();
        let (t, _) = connect_with(&lp, near, move || Witness::of(&own)).await?;
        t.write(vec![1; 4 << 20])?;
        let before = lp.elapsed();
        let client = client.handshake_within(3 * SECOND);
        let error = t.start_tls(&client, "")?.await.unwrap_err().to_string();
        let took = lp.elapsed().saturating_sub(before);
        assert!(took >= 3 * SECOND && took < 4 * SECOND, "{took:?}");
        let words = "did not take in time what was written before";
        assert!(error.contains(words), "{error}");
        t.wait_closed().await;
        assert_eq!(log.take().pop(), Some(format!("lost: {error}")));
        Ok(())
    });
}

#[test]
fn ay2_the_first_address_that_answers_has_the_name_that_was_asked_for() {
    let lp = EventLoop::new().unwrap();
    let authority = Authority::new("tests");
    let client = TlsClient::builder().roots(authority.roots()).build();
    let client = client.unwrap();
    run(&lp, async {
        let at = tls(&authority.server(), tcp("127.0.0.1:0"));
        let server = serve::<Silent>(&lp, at).await?;
        let to = tcp(("localhost", server.local_addrs()[0].port()));
        let to = tls(&client, to.happy_eyeballs(SECOND));
        let (t, _) = connect::<Silent>(&lp, to).await?;
        assert_eq!(t.info(TLS_VERSION).as_deref(), Some("TLSv1.3"));
        Ok(())
    });
}
